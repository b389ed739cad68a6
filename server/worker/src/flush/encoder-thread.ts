import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { DiskError, LoopShare, NodeDisk, systemClock } from '@elanus/runtime';
import { encodeSegmentFile, type SegmentFileContent } from '@elanus/segment';
import type { EncoderReply, EncoderRequest } from './encoder-messages.ts';

/** Bytes of one answer; a single piece may have more. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** Rows that may stay in memory unused while one file follows the other; an import uses the memory of its rows again itself. */
const UNCOLLECTED_BYTES = 256 * 1024 * 1024;
/** Of a file that is written here: what the system holds back must not delay others for long. */
const SYNC_BYTES = 64 * 1024 * 1024;

/**
 * Frees what the thread has read. Rows lie in memory that all threads share, and which stays for as long as one of them
 * has a view of it that is not collected; a thread that does nothing collects nothing. Nobody waits for this one.
 */
const collect = collectorOfThread();

const port = parentPort!;
const share = new LoopShare(systemClock);
const disk = new NodeDisk();
let pieces: AsyncGenerator<Uint8Array, void, void> | null = null;

/** The next bytes of the file that was begun. */
async function nextAnswer(): Promise<EncoderReply> {
  if (pieces === null) return { kind: 'failed', reason: 'no file was begun' };
  const gathered: Uint8Array[] = [];
  for (let bytes = 0; bytes < ANSWER_BYTES; ) {
    const { value, done } = await pieces.next();
    if (done === true) {
      pieces = null;
      return { kind: 'pieces', pieces: gathered, isLast: true };
    }
    gathered.push(kept(value));
    bytes += value.length;
  }
  return { kind: 'pieces', pieces: gathered, isLast: false };
}

/** What is left of a request when the thread can go on with the next. */
type Rest = () => Promise<EncoderReply>;

/** Makes and writes a file; that the disk has all of it is left. */
async function written(content: SegmentFileContent, path: string): Promise<Rest> {
  const file = await disk.open(path, 'build');
  let bytes = 0;
  let sum = 0;
  try {
    let writing: Promise<void> = Promise.resolve();
    for await (const { pieces: gathered, length } of gatheredPieces(encodeSegmentFile(content, { share }))) {
      for (const piece of gathered) sum = crc32(piece, sum);
      await writing;
      const isFull = Math.floor((bytes + length) / SYNC_BYTES) > Math.floor(bytes / SYNC_BYTES);
      writing = file.write(gathered, bytes).then(() => (isFull ? file.sync() : undefined));
      // Whoever waits for it hears of it.
      writing.catch(() => {});
      bytes += length;
    }
    await writing;
  } catch (error) {
    await file.close();
    throw error;
  }
  return async () => {
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    return { kind: 'written', bytes, crc32: sum };
  };
}

/** Pieces that stay as they are, many at a time. */
async function* gatheredPieces(made: AsyncIterable<Uint8Array>) {
  let gathered: Uint8Array[] = [];
  let length = 0;
  for await (const piece of made) {
    gathered.push(kept(piece));
    length += piece.length;
    if (length < ANSWER_BYTES) continue;
    yield { pieces: gathered, length };
    gathered = [];
    length = 0;
  }
  yield { pieces: gathered, length };
}

/** The encoder may use other memory again for the next piece. What lies in shared memory is not copied. */
function kept(piece: Uint8Array): Uint8Array {
  return piece.buffer instanceof SharedArrayBuffer ? piece : piece.slice();
}

async function answer(request: EncoderRequest): Promise<EncoderReply | Rest> {
  switch (request.kind) {
    case 'write':
      return await written(request.content, request.path);
    case 'begin':
      pieces = encodeSegmentFile(request.content, { share });
      return await nextAnswer();
    case 'next':
      return await nextAnswer();
    case 'leave':
      await pieces?.return();
      pieces = null;
      return { kind: 'pieces', pieces: [], isLast: true };
  }
}

/** A collection takes as long as a tenth of a file: files that follow one another share one. */
function collectWhenIdle(): void {
  if (pieces !== null || (open > 0 && uncollected < UNCOLLECTED_BYTES)) return;
  uncollected = 0;
  collect();
}

/** V8 has it under a flag only, which has to be set while the thread runs: workers take none of their own. */
function collectorOfThread(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function failure(error: unknown): EncoderReply {
  if (error instanceof DiskError)
    return { kind: 'disk failed', disk: error.kind, path: error.path, reason: error.message };
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'failed', reason };
}

/** One request after the other, and the answers in their order. */
let turn: Promise<unknown> = Promise.resolve();
let told: Promise<unknown> = Promise.resolve();
/** Requests that are not answered yet, and bytes of files since the last collection. */
let open = 0;
let uncollected = 0;

port.on('message', (request: EncoderRequest) => {
  open += 1;
  const answered = turn
    .then(() => answer(request))
    .catch((error: unknown) => {
      if (request.kind !== 'write') pieces = null;
      return failure(error);
    });
  turn = answered;
  const before = told;
  told = answered.then(async (reply) => {
    const whole = typeof reply === 'function' ? await reply().catch(failure) : reply;
    await before;
    port.postMessage(whole);
    open -= 1;
    if (whole.kind === 'written') uncollected += whole.bytes;
    setImmediate(collectWhenIdle);
  });
});
