import { invalidParameter, MilvusError, serviceUnimplemented } from '@elanus/model';
import {
  DecodeError,
  type Draft,
  decode,
  encode,
  type Method,
  type MethodName,
  methods,
  SERVICE_PATH,
} from '@elanus/proto';
import type { Clock, Logger } from '@elanus/runtime';
import { type CallContext, FailedAnswer, type Handlers } from '../handler.ts';
import { type StatusDraft, SUCCESS, statusOf } from '../wire/status.ts';
import type { CallMetrics, MethodMetrics } from './call-metrics.ts';
import type { GrpcHandler } from './grpc/grpc-call.ts';
import { GRPC_STATUS, GrpcError } from './grpc/grpc-status.ts';
import { UnaryCall } from './unary-call.ts';

export interface ServiceOptions {
  readonly handlers: Handlers;
  readonly metrics: CallMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of these requests, which are large, nobody keeps anything when the handler has settled: rows are copied, to the log and to memory. */
const BORROWED: ReadonlySet<string> = new Set(['Insert', 'Upsert'] satisfies MethodName[]);
/** Nor of these when it has succeeded; after a failure threads may still look at the queries. */
const BORROWED_BY_SUCCESS: ReadonlySet<string> = new Set(['Search', 'HybridSearch'] satisfies MethodName[]);

/** A handler whose types are forgotten: the table of methods ties name, request and response together. */
type AnyHandler = (request: object, context: CallContext) => Promise<object>;

/**
 * A handler of bytes for every method of MilvusService, by path. A method without a handler answers in its own response
 * type with code 10, because some clients take gRPC's UNIMPLEMENTED for an empty success; a stream of answers ends after
 * that one. Left to gRPC are streams of requests and answers that have no place for a status.
 */
export function milvusService(options: ServiceOptions): ReadonlyMap<string, GrpcHandler> {
  const metricsOf = options.metrics.ofMethods();
  const service = new Map<string, GrpcHandler>();
  for (const method of methods) {
    const handler = options.handlers[method.name] as AnyHandler | undefined;
    if (handler === undefined && !canSayUnimplemented(method)) continue;
    const serve = unary(method, handler ?? unimplemented(method), metricsOf(method.name), options);
    service.set(SERVICE_PATH + method.name, serve);
  }
  return service;
}

function canSayUnimplemented(method: Method): boolean {
  return method.streaming !== 'both' && method.status !== null;
}

function unimplemented(method: Method): AnyHandler {
  return () => Promise.reject(serviceUnimplemented(method.name));
}

/** decode → context → handler → encode; whatever fails becomes a Status here and nowhere else. */
function unary(
  method: Method,
  handler: AnyHandler,
  metrics: MethodMetrics,
  { clock, logger }: ServiceOptions,
): GrpcHandler {
  const isBorrowed = BORROWED.has(method.name);
  const isBorrowedBySuccess = BORROWED_BY_SUCCESS.has(method.name);
  return async (bytes, call) => {
    const beganMs = clock.monotonicMs();
    metrics.begin();
    try {
      const request = decode(method.request, bytes);
      const answer = encodeSuccess(method, await handler(request, new UnaryCall(call, request)));
      if (isBorrowedBySuccess) call.releaseRequest();
      metrics.end(call.isCancelled ? 'abandon' : 'success', clock.monotonicMs() - beganMs);
      return answer;
    } catch (error) {
      metrics.end(call.isCancelled ? 'abandon' : 'fail', clock.monotonicMs() - beganMs);
      const told = toldToClient(error);
      if (told === undefined && !call.isCancelled)
        logger.error({ method: method.name, peer: call.peer, err: error }, 'a call failed by our own fault');
      if (method.status === null)
        throw new GrpcError(GRPC_STATUS.internal, told?.message ?? 'unexpected error');
      return encodeFailure(method, statusOf(told ?? error), answerBeside(error));
    } finally {
      if (isBorrowed) call.releaseRequest();
    }
  };
}

/** The failure as the client's or the world's; `undefined` when it is our own. */
export function toldToClient(error: unknown): MilvusError | undefined {
  if (error instanceof MilvusError) return error;
  if (error instanceof FailedAnswer) return error.failure;
  if (error instanceof DecodeError) return invalidParameter(error.message);
  return undefined;
}

/** `status` of a success is there, though empty: clients read its members without looking. */
function encodeSuccess(method: Method, answer: object): Uint8Array {
  if (answer instanceof Uint8Array) return answer;
  if (method.status === null || method.status === 'self') return encode(method.response, answer);
  return encode(method.response, { [method.status]: SUCCESS, ...answer });
}

function answerBeside(error: unknown): object {
  return error instanceof FailedAnswer ? error.answer : {};
}

function encodeFailure(method: Method, status: StatusDraft, answer: object): Uint8Array {
  const failure: Draft<object> = method.status === 'self' ? status : { ...answer, [method.status!]: status };
  return encode(method.response, failure);
}
