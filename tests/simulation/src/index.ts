export { damageMessageLog } from './damage-message-log.ts';
export { HurriedClock } from './hurried-clock.ts';
export { simulateMessageLog } from './simulate-message-log.ts';
export { simulateWritePath } from './write-path/simulate-write-path.ts';
export type { WritePathSummary } from './write-path/write-path-summary.ts';
