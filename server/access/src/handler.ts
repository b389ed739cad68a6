import type { Models } from '@elanus/functions';
import type { MilvusError } from '@elanus/model';
import type { Draft, MethodName, Methods } from '@elanus/proto';
import type {
  DataCoordinator,
  ImportFiles,
  IndexCoordinator,
  QueryCoordinator,
  QueryWorker,
  RootCoordinator,
  StreamingWorker,
} from '@elanus/rpc';
import type { Clock, Logger, LoopShare, Metrics } from '@elanus/runtime';
import type { ExportService } from './export/export-service.ts';
import type { ImportHandlerDependencies } from './import/import-handlers.ts';
import type { AccessLimits } from './limits.ts';

/** What a call brings besides its message. */
export interface CallContext {
  /** `db_name` of the request, else the header `dbname`, else `default`. Not checked to exist. */
  readonly database: string;
  /** Aborted when the client has gone, its deadline has passed or the server stops. */
  readonly signal: AbortSignal;
  /** `host:port` of the client, for logs. */
  readonly peer: string;
}

/**
 * One method: takes the decoded request, returns the answer without its status (success), or the answer's bytes
 * already encoded, success included. Throws MilvusError for what the client is told; anything else that is thrown
 * is our own mistake and becomes code 65535.
 */
export type Handler<Name extends MethodName> = (
  request: Methods[Name]['request'],
  context: CallContext,
) => Promise<Draft<Methods[Name]['response']> | Uint8Array>;

/** A failure whose answer says more than its status: `answer` holds the other members. */
export class FailedAnswer extends Error {
  override readonly name = 'FailedAnswer';
  readonly failure: MilvusError;
  readonly answer: object;

  constructor(failure: MilvusError, answer: Draft<Methods[MethodName]['response']>) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.answer = answer;
  }
}

/** The methods that are served; the transport answers all others with code 10. */
export type Handlers = { readonly [Name in MethodName]?: Handler<Name> };

/** What handlers work with. A group of handlers is a function `(dependencies) => Handlers`. */
export interface AccessDependencies {
  readonly root: RootCoordinator;
  readonly query: QueryCoordinator;
  readonly data: DataCoordinator;
  readonly index: IndexCoordinator;
  readonly streaming: StreamingWorker;
  readonly reader: QueryWorker;
  /** Those that functions and rerankers ask over HTTP. */
  readonly models: Models;
  readonly clock: Clock;
  /** What handlers, readers and writers may take of one turn of the event loop, together. */
  readonly share: LoopShare;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: AccessLimits;
  /** Left out: no files are read. */
  readonly files?: ImportFiles;
  /** Left out: files are not imported. */
  readonly importing?: ImportHandlerDependencies;
  /** Left out: nothing is exported. */
  readonly exportService?: ExportService;
  /** What GetVersion answers, for example `2.6.6`. */
  readonly version: string;
}
