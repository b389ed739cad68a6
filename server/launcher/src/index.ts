export type { RecoveryProgress } from '@elanus/worker';
export { nearestName } from './config/nearest-name.ts';
export { type Configuration, readConfiguration, type StartOptions } from './config/read-configuration.ts';
export type { Settings } from './config/settings.ts';
export { type LaunchOptions, launch, type RunningServer } from './launch.ts';
export { openProcessLog, type ProcessLog } from './log.ts';
export type { LogLevel } from './log-level.ts';
export { StartError } from './start-error.ts';
export { ELANUS_VERSION } from './version.ts';
