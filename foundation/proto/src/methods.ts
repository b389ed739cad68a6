import type { MessageName } from './codec.ts';
import { type Methods, methods as rows } from './generated/methods.js';

export type { Methods };

/** The name of a method of MilvusService. */
export type MethodName = keyof Methods;

/** One method of MilvusService. */
export interface Method {
  readonly name: MethodName;
  readonly request: MessageName;
  readonly response: MessageName;
  /** The member of the response that is a common.Status, `self` when the response is one, `null` when none is. */
  readonly status: string | null;
  readonly streaming: 'none' | 'server' | 'both';
}

export const SERVICE_PATH = '/milvus.proto.milvus.MilvusService/';

/** Every method, in the order of the service's definition. */
export const methods: readonly Method[] = rows;
