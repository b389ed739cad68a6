import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { invalidParameter } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import { incorrectJson } from './rest-errors.ts';

const DECODERS = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/** Bytes that are copied in about a third of a millisecond, fresh memory included. */
const SLICE_BYTES = 1024 * 1024;

export interface RequestBodyOptions {
  readonly receiveBytesMax: number;
  readonly share: LoopShare;
}

/**
 * The bytes of a request's body, decompressed. Refused when it is or becomes larger than `receiveBytesMax`; one whose head says
 * so is refused before it is read.
 * @throws MilvusError 1100 when it is too large, 1801 when it is empty or its encoding is unknown or broken
 */
export async function requestBody(
  request: IncomingMessage,
  { receiveBytesMax: bytesMax, share }: RequestBodyOptions,
): Promise<Buffer> {
  const tooLarge = (bytes: number) =>
    invalidParameter(`the body of the request is larger than ${bytesMax} bytes (${bytes})`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) throw tooLarge(announced);
  const { chunks, length } = await received(request, bytesMax);
  if (length > bytesMax) throw tooLarge(length);
  if (length === 0) throw incorrectJson('the body is empty; if nothing is to be said, send {}');
  const body = chunks.length === 1 ? chunks[0]! : await runInSlices(joined(chunks, length), share);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body;
  const decoder = DECODERS.get(encoding);
  if (decoder === undefined) throw incorrectJson(`the content encoding ${encoding} is unknown`);
  try {
    return await decoder(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax + 1);
    throw incorrectJson(`the body is not ${encoding}`);
  }
}

/**
 * What comes, up to its end or until it is more than `bytesMax` bytes. By events: whoever leaves an iteration over the request
 * in the middle closes the connection, without an answer.
 */
async function received(
  request: IncomingMessage,
  bytesMax: number,
): Promise<{ readonly chunks: readonly Buffer[]; readonly length: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > bytesMax) resolve();
  };
  const leave = () => {
    // What has ended closes, too.
    if (!request.readableEnded) reject(incorrectJson('the body ends before its end'));
  };
  request.on('data', take).on('end', resolve).on('error', leave).on('close', leave);
  try {
    await promise;
    return { chunks, length };
  } finally {
    request.off('data', take).off('end', resolve).off('error', leave).off('close', leave);
    if (!request.readableEnded) request.pause();
  }
}

function* joined(chunks: readonly Buffer[], length: number): Work<Buffer> {
  const body = Buffer.allocUnsafe(length);
  let end = 0;
  let sliceEnd = SLICE_BYTES;
  for (const chunk of chunks) {
    body.set(chunk, end);
    end += chunk.length;
    if (end < sliceEnd) continue;
    sliceEnd = end + SLICE_BYTES;
    yield;
  }
  return body;
}
