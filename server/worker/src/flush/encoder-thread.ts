import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { LoopShare, systemClock } from '@elanus/runtime';
import { encodeSegmentFile } from '@elanus/segment';
import type { EncoderReply, EncoderRequest } from './encoder-messages.ts';

/** Bytes of one answer; a single piece may have more. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Frees what the thread has read. Rows lie in memory that all threads share, and which stays for as long as one of them
 * has a view of it that is not collected; a thread that does nothing collects nothing. Nobody waits for this one.
 */
const collect = collectorOfThread();

const port = parentPort!;
const share = new LoopShare(systemClock);
let pieces: AsyncGenerator<Uint8Array, void, void> | null = null;

/** The next bytes of the file that was begun. What lies in shared memory is not copied. */
async function nextAnswer(): Promise<EncoderReply> {
  if (pieces === null) return { kind: 'failed', reason: 'no file was begun' };
  const gathered: Uint8Array[] = [];
  for (let bytes = 0; bytes < ANSWER_BYTES; ) {
    const { value, done } = await pieces.next();
    if (done === true) {
      pieces = null;
      return { kind: 'pieces', pieces: gathered, isLast: true };
    }
    // The encoder may use other memory again for the next piece.
    gathered.push(value.buffer instanceof SharedArrayBuffer ? value : value.slice());
    bytes += value.length;
  }
  return { kind: 'pieces', pieces: gathered, isLast: false };
}

async function answer(request: EncoderRequest): Promise<EncoderReply> {
  switch (request.kind) {
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

/** V8 has it under a flag only, which has to be set while the thread runs: workers take none of their own. */
function collectorOfThread(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** One request after the other. */
let turn: Promise<unknown> = Promise.resolve();

port.on('message', (request: EncoderRequest) => {
  turn = turn
    .then(() => answer(request))
    .catch((error: unknown): EncoderReply => {
      pieces = null;
      return {
        kind: 'failed',
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    })
    .then((reply) => {
      port.postMessage(reply);
      if (pieces === null) setImmediate(() => pieces === null && collect());
    });
});
