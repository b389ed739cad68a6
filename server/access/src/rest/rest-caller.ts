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
import type { LoopShare } from '@elanus/runtime';
import type { ExportService } from '../export/export-service.ts';
import { type AccessDependencies, type CallContext, FailedAnswer, type Handlers } from '../handler.ts';
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

type AnyHandler = (request: object, context: CallContext) => Promise<object>;

/** What the endpoints of one request work with: the calls of gRPC, in process, as the same client. */
export class RestCaller {
  readonly context: CallContext;
  readonly int64: Int64Form;
  readonly #handlers: Handlers;
  readonly #share: LoopShare;
  readonly #exporting: Exporting | undefined;

  constructor(
    {
      handlers,
      share,
      exporting,
    }: {
      readonly handlers: Handlers;
      readonly share: LoopShare;
      readonly exporting?: Exporting | undefined;
    },
    { context, int64 }: { readonly context: CallContext; readonly int64: Int64Form },
  ) {
    this.#handlers = handlers;
    this.#share = share;
    this.#exporting = exporting;
    this.context = context;
    this.int64 = int64;
  }

  /** Exports, which no call of the service has. @throws MilvusError 10 where they are not served */
  get exporting(): Exporting {
    if (this.#exporting === undefined) throw serviceUnimplemented('Export');
    return this.#exporting;
  }

  /** One call of the service. What gRPC checks and refuses is checked and refused here: it is the same handler. */
  async ask<Name extends MethodName>(
    name: Name,
    request: Draft<Methods[Name]['request']>,
  ): Promise<Methods[Name]['response']> {
    const method = METHODS.get(name) as Method;
    const handler = this.#handlers[name] as AnyHandler | undefined;
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

  /** The schema of a collection, by its name or an alias. */
  async schemaOf(collectionName: string): Promise<schema_CollectionSchema> {
    const { schema } = await this.ask('DescribeCollection', { collectionName });
    return schema!;
  }

  run<Result>(work: Work<Result>): Promise<Result> {
    return runInSlices(work, this.#share);
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
