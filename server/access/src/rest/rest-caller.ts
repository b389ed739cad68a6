import { invalidParameter, MilvusError, serviceUnimplemented } from '@elanus/model';
import {
  DecodeError,
  type Draft,
  decode,
  encode,
  type Method,
  type MethodName,
  type Methods,
  methods,
  type schema_CollectionSchema,
} from '@elanus/proto';
import type { RootCoordinator } from '@elanus/rpc';
import type { LoopShare } from '@elanus/runtime';
import { collectionRef } from '../definition/collection-ref.ts';
import { describedCollection, wireSchemaOf } from '../definition/wire-schema.ts';
import type { ExportService } from '../export/export-service.ts';
import { type AccessDependencies, type CallContext, FailedAnswer, type Handlers } from '../handler.ts';
import type { ImportService } from '../import/import-service.ts';
import type { AccessLimits } from '../limits.ts';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import type { Int64Form } from './json-text.ts';
import { REST_CODE } from './rest-errors.ts';

const METHODS = new Map(methods.map((method) => [method.name, method]));
/** gRPC's code of a request beyond a limit of rate. */
const RATE_LIMITED = 8;

/** What endpoints of exports work with. */
export interface Exporting extends Pick<AccessDependencies, 'root' | 'limits'> {
  readonly service: ExportService;
}

/** What endpoints of imports that wait for a word work with. */
export interface Importing {
  readonly service: Pick<ImportService, 'commit' | 'giveUp'>;
}

/** What requests have in common. */
export interface RestCallerOptions {
  readonly handlers: Handlers;
  readonly root: Pick<RootCoordinator, 'describeCollection'>;
  readonly limits: Pick<AccessLimits, 'nameBytesMax' | 'restRequestMs' | 'restInt64'>;
  readonly share: LoopShare;
  /** Left out: nothing is exported. */
  readonly exporting?: Exporting | undefined;
  /** Left out: nothing is imported. */
  readonly importing?: Importing | undefined;
}

type AnyHandler = (request: object, context: CallContext) => Promise<object>;

/** What the endpoints of one request work with: the calls of gRPC, in process, as the same client. */
export class RestCaller {
  readonly context: CallContext;
  readonly int64: Int64Form;
  readonly #options: RestCallerOptions;

  constructor(
    options: RestCallerOptions,
    { context, int64 }: { readonly context: CallContext; readonly int64: Int64Form },
  ) {
    this.#options = options;
    this.context = context;
    this.int64 = int64;
  }

  /** Exports, which no call of the service has. @throws MilvusError 10 where they are not served */
  get exporting(): Exporting {
    const { exporting } = this.#options;
    if (exporting === undefined) throw serviceUnimplemented('Export');
    return exporting;
  }

  /** What is said of imports that wait, which no call of the service does. @throws MilvusError 10 where nothing is imported */
  get importing(): Importing['service'] {
    const { importing } = this.#options;
    if (importing === undefined) throw serviceUnimplemented('CommitImport');
    return importing.service;
  }

  /** One call of the service. What gRPC checks and refuses is checked and refused here: it is the same handler. */
  async ask<Name extends MethodName>(
    name: Name,
    request: Draft<Methods[Name]['request']>,
  ): Promise<Methods[Name]['response']> {
    const method = METHODS.get(name) as Method;
    const handler = this.#options.handlers[name] as AnyHandler | undefined;
    if (handler === undefined) throw serviceUnimplemented(name);
    try {
      const sent = decode(method.request, encode(method.request, request as never));
      const answer = await handler(sent, this.context);
      const bytes = answer instanceof Uint8Array ? answer : encode(method.response, answer as never);
      return decode(method.response, bytes) as Methods[Name]['response'];
    } catch (error) {
      throw refusal(error);
    }
  }

  /** The schema of a collection, by its name or an alias. @throws what DescribeCollection does */
  async schemaOf(collectionName: string): Promise<schema_CollectionSchema> {
    const { root, limits } = this.#options;
    const ref = collectionRef(this.context.database, collectionName, limits);
    return wireSchemaOf(await describedCollection(root, ref));
  }

  run<Result>(work: Work<Result>): Promise<Result> {
    return runInSlices(work, this.#options.share);
  }
}

/** A failure as REST tells it. */
function refusal(error: unknown): unknown {
  if (error instanceof DecodeError) return invalidParameter(error.message);
  const failure = error instanceof FailedAnswer ? error.failure : error;
  if (failure instanceof MilvusError && failure.code === RATE_LIMITED)
    return new MilvusError(failure.message, { code: REST_CODE.limited, retriable: true });
  return failure;
}
