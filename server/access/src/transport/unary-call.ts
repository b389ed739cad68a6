import { MilvusError } from '@elanus/model';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { CallContext } from '../handler.ts';

const DEFAULT_DATABASE = 'default';
/** One for all calls: each ends with it, and a stack trace a call is dear. */
const CANCELLED = new MilvusError('context canceled', { code: 10_000 });

/** The context of one call. What few handlers ask for (the signal, the peer) is made when it is asked for. */
export class UnaryCall implements CallContext {
  readonly database: string;
  readonly #call: ServerUnaryCall<Buffer, Uint8Array>;
  #abort: AbortController | undefined;

  constructor(call: ServerUnaryCall<Buffer, Uint8Array>, request: object) {
    this.#call = call;
    this.database = databaseOf(call, request);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      // grpc-js says `cancelled` once: when the client has gone, its deadline has passed or its answer is sent.
      const cancel = () => abort.abort(CANCELLED);
      if (this.#call.cancelled) cancel();
      else this.#call.once('cancelled', cancel);
    }
    return this.#abort.signal;
  }

  get peer(): string {
    return this.#call.getPeer();
  }
}

/** The request's `db_name` wins over the header `dbname`; an empty one counts as not sent. */
function databaseOf(call: ServerUnaryCall<Buffer, Uint8Array>, request: object): string {
  if ('dbName' in request && typeof request.dbName === 'string' && request.dbName !== '')
    return request.dbName;
  const header = call.metadata.get('dbname')[0];
  return header === undefined || header.length === 0 ? DEFAULT_DATABASE : header.toString();
}
