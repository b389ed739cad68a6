export { damageMessageLog } from './damage-message-log.ts';
export { HurriedClock } from './hurried-clock.ts';
export { simulateMessageLog } from './simulate-message-log.ts';
