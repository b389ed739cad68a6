import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type ByteSource, FormatError, SourceError } from '@elanus/formats';
import { MilvusError } from '@elanus/model';
import { SpareMemory } from './spare-memory.ts';
import { openUnit, type UnitBatch } from './unit-batches.ts';
import type { EncodedRows, UnitReply, UnitRequest, UnitSpec } from './unit-messages.ts';

const port = parentPort!;
const spec = workerData as UnitSpec;

/** This thread opens nothing: files of this machine come open, all other bytes from the event loop. */
const asks = new Map<number, PromiseWithResolvers<Uint8Array>>();
let nextAsk = 0;
let bytesRead = 0;
const sources: readonly ByteSource[] = spec.files.map(({ size, descriptor }, file) => ({
  size,
  read: async (offset, length, into) => {
    if (length === 0) return new Uint8Array(0);
    if (descriptor !== undefined) return readFrom(descriptor, { offset, length, into });
    const asked = Promise.withResolvers<Uint8Array>();
    const ask = nextAsk++;
    asks.set(ask, asked);
    reply({ kind: 'read', ask, file, offset, length });
    return await asked.promise;
  },
}));

function readFrom(
  descriptor: number,
  {
    offset,
    length,
    into,
  }: { readonly offset: number; readonly length: number; readonly into: Uint8Array | undefined },
): Uint8Array {
  // Not from Node's pool: pages of it would stay as long as any of them is used.
  const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const count = readSync(descriptor, bytes, filled, length - filled, offset + filled);
    if (count === 0) throw new SourceError('the file has become shorter');
    filled += count;
  }
  bytesRead += length;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
}

const memory = new SpareMemory();
/** The last two: one is looked at while the next is read. */
const batches = new Map<number, UnitBatch>();
let count = 0;

async function* replies(): AsyncGenerator<UnitReply> {
  const unit = await openUnit(spec, sources, memory);
  if (unit.totalRows !== null) reply({ kind: 'total', rows: unit.totalRows });
  for await (const batch of unit.batches) {
    const number = count++;
    batches.set(number, batch);
    batches.delete(number - 2);
    const { rows } = batch;
    yield { kind: 'rows', batch: number, rows, bytesRead, encoded: encodedUnlessBad(batch) };
  }
  for (;;) yield { kind: 'end' };
}

function encodedUnlessBad(batch: UnitBatch): EncodedRows | null {
  try {
    return batch.encode(0, batch.rows);
  } catch (error) {
    if (error instanceof MilvusError) return null;
    throw error;
  }
}

function encode(number: number, from: number, to: number): UnitReply {
  try {
    return { kind: 'encoded', encoded: batches.get(number)!.encode(from, to) };
  } catch (error) {
    if (error instanceof MilvusError) return { kind: 'bad rows', reason: error.message };
    throw error;
  }
}

function told(error: unknown): UnitReply {
  if (error instanceof FormatError || error instanceof MilvusError)
    return { kind: 'bad file', reason: error.message };
  const reason = error instanceof SourceError ? error.message : String((error as Error).stack ?? error);
  return { kind: 'failed', reason };
}

function reply(message: UnitReply): void {
  const encoded = message.kind === 'rows' || message.kind === 'encoded' ? message.encoded : null;
  // Whole buffers are moved; of what shares its memory with something else in this thread only its own bytes go.
  const moved = (encoded?.fieldsData ?? []).flatMap(({ byteLength, buffer }) =>
    buffer instanceof ArrayBuffer && byteLength === buffer.byteLength ? [buffer] : [],
  );
  port.postMessage(message, [...new Set(moved)]);
}

const steps = replies();
let turn: Promise<unknown> = Promise.resolve();

port.on('message', (request: UnitRequest) => {
  switch (request.kind) {
    case 'bytes':
      asks.get(request.ask)!.resolve(request.bytes);
      asks.delete(request.ask);
      return;
    case 'no bytes':
      asks.get(request.ask)!.reject(new SourceError(request.reason));
      asks.delete(request.ask);
      return;
    case 'next':
      memory.add(request.spares);
      turn = turn
        .then(async () => (await steps.next()).value ?? { kind: 'end' as const })
        .catch(told)
        .then(reply);
      return;
    case 'encode':
      turn = turn
        .then(() => encode(request.batch, request.from, request.to))
        .catch(told)
        .then(reply);
  }
});
