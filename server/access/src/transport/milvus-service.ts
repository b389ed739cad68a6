import { invalidParameter, MilvusError, serviceUnimplemented } from '@elanus/model';
import { DecodeError, type Draft, decode, encode, type Method, methods, SERVICE_PATH } from '@elanus/proto';
import type { Clock, Logger } from '@elanus/runtime';
import { status as grpcStatus, type handleUnaryCall, type Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { type CallContext, FailedAnswer, type Handlers } from '../handler.ts';
import { type StatusDraft, SUCCESS, statusOf } from '../wire/status.ts';
import type { CallMetrics, MethodMetrics } from './call-metrics.ts';
import { UnaryCall } from './unary-call.ts';

export interface ServiceOptions {
  readonly handlers: Handlers;
  readonly metrics: CallMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A handler whose types are forgotten: the table of methods ties name, request and response together. */
type AnyHandler = (request: object, context: CallContext) => Promise<object>;

/**
 * Registers every method of MilvusService. A method without a handler answers in its own response type with
 * code 10, because some clients take gRPC's UNIMPLEMENTED for an empty success. Left to gRPC are streams,
 * answers that have no place for a status, and AlterCollectionSchema, where pymilvus falls back on UNIMPLEMENTED.
 */
export function registerMilvusService(server: Server, options: ServiceOptions): void {
  const metricsOf = options.metrics.ofMethods();
  for (const method of methods) {
    const handler = options.handlers[method.name] as AnyHandler | undefined;
    if (handler === undefined && !canSayUnimplemented(method)) continue;
    server.register<Buffer, Uint8Array>(
      SERVICE_PATH + method.name,
      unary(method, handler ?? unimplemented(method), metricsOf(method.name), options),
      toBuffer,
      (bytes) => bytes,
      'unary',
    );
  }
}

function canSayUnimplemented(method: Method): boolean {
  return method.streaming === 'none' && method.status !== null;
}

function unimplemented(method: Method): AnyHandler {
  return () => Promise.reject(serviceUnimplemented(method.name));
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** decode → context → handler → encode; whatever fails becomes a Status here and nowhere else. */
function unary(
  method: Method,
  handler: AnyHandler,
  metrics: MethodMetrics,
  { clock, logger }: ServiceOptions,
): handleUnaryCall<Buffer, Uint8Array> {
  const answer = async (call: ServerUnaryCall<Buffer, Uint8Array>): Promise<Uint8Array> => {
    const request = decode(method.request, call.request);
    return encodeSuccess(method, await handler(request, new UnaryCall(call, request)));
  };
  return (call, reply) => {
    const beganMs = clock.monotonicMs();
    metrics.begin();
    answer(call).then(
      (bytes) => {
        metrics.end(call.cancelled ? 'abandon' : 'success', clock.monotonicMs() - beganMs);
        reply(null, bytes);
      },
      (error: unknown) => {
        metrics.end(call.cancelled ? 'abandon' : 'fail', clock.monotonicMs() - beganMs);
        const told = toldToClient(error);
        if (told === undefined && !call.cancelled) {
          logger.error(
            { method: method.name, peer: call.getPeer(), err: error },
            'a call failed by our own fault',
          );
        }
        if (method.status === null)
          reply({ code: grpcStatus.INTERNAL, details: told?.message ?? 'unexpected error' });
        else reply(null, encodeFailure(method, statusOf(told ?? error), answerBeside(error)));
      },
    );
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
