export type * from './message-log.ts';
