import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { crc32 } from '@elanus/kernel';
import { DiskError, LoopShare, NodeDisk, systemClock } from '@elanus/runtime';
import { encodeSegmentFile } from '@elanus/segment';
import type { EncoderReply, EncoderRequest, WriteFile } from './encoder-messages.ts';

/** Bytes of one answer; a single piece may have more. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** Rows that may stay in memory unused while one file follows the other; an import uses the memory of its rows again itself. */
const UNCOLLECTED_BYTES = 256 * 1024 * 1024;
/** Who asks for nothing for so long is done. */
const REST_MS = 100;

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
async function written({ content, path, cache }: WriteFile): Promise<Rest> {
  const file = await disk.openBuilder(path, cache);
  let bytes = 0;
  let sum = 0;
  try {
    for await (const piece of encodeSegmentFile(content, { share })) {
      sum = crc32(piece, sum);
      bytes += piece.length;
      await file.add(piece);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return async () => {
    try {
      await file.finish();
    } finally {
      await file.close();
    }
    return { kind: 'written', bytes, crc32: sum };
  };
}

/** The encoder may use other memory again for the next piece. What lies in shared memory is not copied. */
function kept(piece: Uint8Array): Uint8Array {
  return piece.buffer instanceof SharedArrayBuffer ? piece : piece.slice();
}

async function answer(request: EncoderRequest): Promise<EncoderReply | Rest> {
  switch (request.kind) {
    case 'write':
      return await written(request);
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

/**
 * A collection takes as long as a tenth of a file: files of an import that follow one another soon share one. Rows of other files
 * are of no more use to anybody, and go at once.
 */
async function collectWhenIdle(): Promise<void> {
  const before = requests;
  if (!isUseless && uncollected < UNCOLLECTED_BYTES) await systemClock.sleep(REST_MS);
  const isBusy = open > 0 || requests !== before;
  if (pieces !== null || (isBusy && uncollected < UNCOLLECTED_BYTES)) return;
  uncollected = 0;
  isUseless = false;
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
/** Requests so far, those that are not answered yet, and bytes of files since the last collection. */
let requests = 0;
let open = 0;
let uncollected = 0;
/** Whether among these are rows that nobody uses again. */
let isUseless = false;

port.on('message', (request: EncoderRequest) => {
  requests += 1;
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
    if (request.kind !== 'write' || request.cache === 'kept') isUseless = true;
    setImmediate(() => void collectWhenIdle());
  });
});
