import { MilvusError } from '@elanus/model';
import type { CallContext } from '../handler.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';

const DEFAULT_DATABASE = 'default';
/** One for all calls: a stack trace a call is dear. */
const CANCELLED = new MilvusError('context canceled', { code: 10_000 });

/** The context of one call. What few handlers ask for (the signal, the peer) is made when it is asked for. */
export class UnaryCall implements CallContext {
  readonly database: string;
  readonly #call: GrpcCall;
  #abort: AbortController | undefined;

  constructor(call: GrpcCall, request: object) {
    this.#call = call;
    this.database = databaseOf(call, request);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      this.#call.onCancel(() => abort.abort(CANCELLED));
    }
    return this.#abort.signal;
  }

  get peer(): string {
    return this.#call.peer;
  }
}

/** The request's `db_name` wins over the header `dbname`; an empty one counts as not sent. */
function databaseOf(call: GrpcCall, request: object): string {
  if ('dbName' in request && typeof request.dbName === 'string' && request.dbName !== '')
    return request.dbName;
  const header = call.header('dbname');
  return header === undefined || header === '' ? DEFAULT_DATABASE : header;
}
