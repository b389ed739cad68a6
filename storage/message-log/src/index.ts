export { LogOutcomeUnknownError, LogVersionError } from './log-error.ts';
export type * from './message-log.ts';
export { type MessageLogOptions, openMessageLog } from './open-message-log.ts';
