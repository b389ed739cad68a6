export { DecodeError, type Draft, decode, encode, type MessageName } from './codec.ts';
export type * from './generated/messages.js';
export { type Method, type MethodName, type Methods, methods, SERVICE_PATH } from './methods.ts';
