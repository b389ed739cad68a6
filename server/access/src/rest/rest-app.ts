import type { IncomingMessage, RequestListener } from 'node:http';
import { findNumberRuns, findNumberRunsAside } from '@elanus/kernel';
import { MilvusError } from '@elanus/model';
import { type Logger, type Random, randomHex } from '@elanus/runtime';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { CallContext } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { Body } from './body.ts';
import { collections } from './collections.ts';
import type { Endpoint, Endpoints } from './endpoint.ts';
import { entities } from './entities.ts';
import { exports } from './exports.ts';
import { imports } from './imports.ts';
import { indexes } from './indexes.ts';
import { type Json, JsonError, type JsonObject, readJson } from './json-reader.ts';
import { type Int64Form, type JsonOut, jsonPieces } from './json-text.ts';
import { names } from './names.ts';
import { openApi } from './openapi.ts';
import { partitions } from './partitions.ts';
import { requestBody } from './request-body.ts';
import { RestCaller, type RestCallerOptions } from './rest-caller.ts';
import { incorrectJson } from './rest-errors.ts';
import { type RestReply, sendReply } from './rest-reply.ts';
import { schemaChanges } from './schema-changes.ts';
import { text } from './text.ts';
import { unserved } from './unserved.ts';
import { newBody, OLD_PATHS, type OldPath, oldAnswer } from './v1.ts';

export interface RestOptions extends RestCallerOptions {
  readonly logger: Logger;
  /** For the ids of traces. */
  readonly random: Random;
  /** Bytes of a body, before and after it is decompressed. */
  readonly receiveBytesMax: number;
  /** What `GET /` tells. */
  readonly version: string;
}

type Bindings = { readonly Bindings: HttpBindings };
type Exchange = Pick<HttpBindings, 'incoming' | 'outgoing'>;

const FAILED = { code: 500, message: 'unexpected error' };

const BASE = '/v2/vectordb/';
const OLD_BASE = '/v1/vector/';
/** `code` of a success in v1. */
const OLD_SUCCESS = 200;
const DEFAULT_DATABASE = 'default';
/** Bodies whose numbers are read on another thread: smaller ones take less than a quarter of a millisecond. */
const ASIDE_BYTES_MIN = 128 * 1024;
/** Where rows and queries are. */
const ROWS_MEMBER = 'data';
const REQUEST_MS_MAX = 0x7fff_ffff;
const TIMED_OUT = new MilvusError('request timeout', { code: 10_001 });
const CANCELLED = new MilvusError('context canceled', { code: 10_000 });

/** Every path below `/v2/vectordb/`. */
export const ENDPOINTS: Endpoints = {
  ...collections,
  ...entities,
  ...exports,
  ...imports,
  ...indexes,
  ...names,
  ...partitions,
  ...schemaChanges,
  ...text,
  ...unserved,
};

/** An endpoint as one version of the API has it. */
interface Door {
  readonly endpoint: Endpoint;
  /** `code` of its successes. */
  readonly success: number;
  /** Of the deprecated API. */
  readonly old?: OldPath;
  /** The query string is the body. */
  readonly isQuery?: boolean;
}

/** RESTful API v2, and the old v1: JSON in, the calls of gRPC in process, JSON out. Errors come with HTTP 200, as Milvus sends them. */
export function restListener(options: RestOptions): RequestListener {
  const app = new Hono<Bindings>();
  app.options('*', cors());
  app.get('/', (context) => context.json({ code: 0, data: { name: 'elanus', version: options.version } }));
  app.get('/v2/openapi.json', (context) => context.json(openApi(ENDPOINTS, BASE, options.version)));
  const doors = new Map<string, Door>();
  for (const [path, endpoint] of Object.entries(ENDPOINTS)) {
    const door = { endpoint, success: 0 };
    doors.set(BASE + path, door);
    app.post(BASE + path, (context) => served(door, context.env, options));
  }
  for (const old of OLD_PATHS) {
    const { method, path, asks } = old;
    const door: Door = { endpoint: ENDPOINTS[asks]!, success: OLD_SUCCESS, old, isQuery: method === 'get' };
    app[method](OLD_BASE + path, (context) => served(door, context.env, options));
  }
  app.notFound((context) => context.text('404 page not found', 404));
  const noted = (path: string, error: unknown) =>
    options.logger.error({ path, err: error }, 'a request failed by our own fault');
  app.onError((error, context) => {
    noted(context.req.path, error);
    return context.json(FAILED, 500);
  });
  const nextTraceId = traceIds(options.random);
  const listener = getRequestListener(app.fetch as never, { overrideGlobalObjects: false });
  return (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('x-milvus-trace-id', nextTraceId());
    const door = request.method === 'POST' ? doors.get(request.url ?? '') : undefined;
    if (door === undefined) {
      void listener(request, response);
      return;
    }
    // The framework would make a request and a context of its own for each, which takes as long as a small answer.
    answerAtOnce(door, { incoming: request, outgoing: response }, options).catch((error) =>
      noted(request.url ?? '', error),
    );
  };
}

async function answerAtOnce(
  door: Door,
  { incoming, outgoing }: Exchange,
  options: RestOptions,
): Promise<void> {
  let reply: RestReply;
  let failure: unknown = null;
  try {
    reply = await serve(door, incoming, options);
  } catch (error) {
    failure = error;
    reply = { status: 500, pieces: [JSON.stringify(FAILED)] };
  }
  await sendReply(outgoing, reply);
  if (failure !== null) throw failure;
}

/** Ids that no other start of a server gives: 96 bits of chance, and a count. */
function traceIds(random: Random): () => string {
  const start = randomHex(random, 3);
  let count = 0;
  return () => {
    count = (count + 1) >>> 0;
    return start + count.toString(16).padStart(8, '0');
  };
}

async function served(
  door: Door,
  { incoming, outgoing }: HttpBindings,
  options: RestOptions,
): Promise<Response> {
  await sendReply(outgoing, await serve(door, incoming, options));
  return RESPONSE_ALREADY_SENT;
}

async function serve(door: Door, request: IncomingMessage, options: RestOptions): Promise<RestReply> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(TIMED_OUT), requestMs(request, options));
  const cancel = () => abort.abort(CANCELLED);
  request.socket.once('close', cancel);
  const aborted = new Promise<never>((_, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason));
  });
  const answering = answer(door, request, abort.signal, options);
  // Whoever loses the race is not waited for.
  answering.catch(() => {});
  aborted.catch(() => {});
  try {
    return await Promise.race([answering, aborted]);
  } catch (error) {
    if (error === TIMED_OUT) return await reply(failure(TIMED_OUT), 'number', options, 408);
    if (error instanceof MilvusError) return await reply(failure(error), 'number', options);
    throw error;
  } finally {
    clearTimeout(timer);
    request.socket.off('close', cancel);
  }
}

async function answer(
  { endpoint, success, old, isQuery = false }: Door,
  request: IncomingMessage,
  signal: AbortSignal,
  options: RestOptions,
): Promise<RestReply> {
  const sent = isQuery ? queryOf(request) : await parsed(request, options);
  const json = old === undefined ? sent : newBody(old, sent);
  const body = new Body(json, endpoint.takes);
  const int64 = int64Form(request, options);
  const context: CallContext = {
    database: body.text('dbName') || header(request, 'db-name') || DEFAULT_DATABASE,
    signal,
    peer: `${request.socket.remoteAddress ?? ''}:${request.socket.remotePort ?? ''}`,
  };
  const caller = new RestCaller(options, { context, int64 });
  await old?.before?.(json as JsonObject, caller);
  const answered = await endpoint.answer(body, caller);
  const shown = old === undefined ? answered : oldAnswer(old, answered);
  return await reply({ code: success, ...shown }, int64, options);
}

async function parsed(request: IncomingMessage, options: RestOptions): Promise<Json> {
  const bytes = await requestBody(request, options);
  try {
    const runs = bytes.length < ASIDE_BYTES_MIN ? findNumberRuns(bytes) : await findNumberRunsAside(bytes);
    return await runInSlices(readJson(bytes, { runs, typedIn: ROWS_MEMBER }), options.share);
  } catch (error) {
    if (error instanceof JsonError) throw incorrectJson(error.message);
    throw error;
  }
}

function queryOf(request: IncomingMessage): JsonObject {
  return Object.fromEntries(new URL(request.url ?? '/', 'http://localhost').searchParams);
}

async function reply(
  body: JsonOut,
  int64: Int64Form,
  { share }: RestOptions,
  status = 200,
): Promise<RestReply> {
  return { status, pieces: await runInSlices(jsonPieces(body, int64), share) };
}

function failure({ code, message }: MilvusError): JsonOut {
  return { code, message };
}

/** `Request-Timeout`, in seconds; what is no positive number counts as not sent. */
function requestMs(request: IncomingMessage, { limits }: RestOptions): number {
  const seconds = Number(header(request, 'request-timeout'));
  return seconds > 0 ? Math.min(1000 * seconds, REQUEST_MS_MAX) : limits.restRequestMs;
}

/** As `Accept-Type-Allow-Int64` has it; what is neither true nor false counts as not sent. */
function int64Form(request: IncomingMessage, { limits }: RestOptions): Int64Form {
  switch (header(request, 'accept-type-allow-int64').toLowerCase()) {
    case 'true':
    case 't':
    case '1':
      return 'number';
    case 'false':
    case 'f':
    case '0':
      return 'string';
    default:
      return limits.restInt64;
  }
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
