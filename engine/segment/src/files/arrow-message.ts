import { encodeFlatBuffer, type FlatObject } from './flatbuffer.ts';
import {
  ALIGNMENT,
  ARROW_HEAD_BYTES,
  ARROW_MAGIC,
  LITTLE_ENDIAN,
  MESSAGE_PREFIX,
} from './segment-file-format.ts';

/** Arrow's fifth metadata version, that of all files since 2020. */
const VERSION = { int16: 4 } as const;
const HEADER = { schema: { int8: 1 }, recordBatch: { int8: 3 } } as const;

/** A column, or the elements of one, in the order of Arrow: parents before their children. */
export interface ArrowNode {
  readonly length: number;
  readonly nulls: number;
}

/** Where a buffer lies behind the batch's metadata. */
export interface ArrowBuffer {
  readonly offset: number;
  readonly bytes: number;
}

export interface ArrowBatch {
  readonly rows: number;
  readonly nodes: readonly ArrowNode[];
  readonly buffers: readonly ArrowBuffer[];
  /** Of all buffers with what is between them. */
  readonly bodyBytes: number;
}

/** Where the file's only batch is, as Arrow's footer tells it. */
export interface ArrowBlock {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** All that is in front of the buffers: magic, schema, and the batch's metadata, up to an aligned place. */
export function arrowHead(
  schema: FlatObject,
  batch: ArrowBatch,
): { readonly bytes: Uint8Array; readonly block: ArrowBlock } {
  const magic = Buffer.alloc(ARROW_HEAD_BYTES);
  ARROW_MAGIC.copy(magic);
  const schemaMessage = message(schemaHeader(schema), ARROW_HEAD_BYTES, 8);
  const offset = ARROW_HEAD_BYTES + schemaMessage.length;
  const batchMessage = message(batchHeader(batch), offset, ALIGNMENT);
  return {
    bytes: Buffer.concat([magic, schemaMessage, batchMessage]),
    block: { offset, metadataBytes: batchMessage.length, bodyBytes: batch.bodyBytes },
  };
}

/** Ends the stream of messages: readers of streams stop here, readers of files never look. */
export function endOfStream(): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_PREFIX.bytes);
  new DataView(bytes.buffer).setUint32(0, MESSAGE_PREFIX.continuation, LITTLE_ENDIAN);
  return bytes;
}

/** Arrow's footer, its length and the magic. */
export function arrowFooter(
  schema: FlatObject,
  { offset, metadataBytes, bodyBytes }: ArrowBlock,
): {
  readonly footer: Uint8Array;
  readonly tail: Uint8Array;
} {
  const noDictionaries: FlatObject = { words: [], wordsEach: 3 };
  const batches: FlatObject = { words: [offset, metadataBytes, bodyBytes], wordsEach: 3 };
  const footer = encodeFlatBuffer({
    table: [VERSION, { object: schema }, { object: noDictionaries }, { object: batches }],
  });
  const tail = Buffer.alloc(4 + ARROW_MAGIC.length);
  tail.writeUInt32LE(footer.length);
  ARROW_MAGIC.copy(tail, 4);
  return { footer, tail };
}

function schemaHeader(schema: FlatObject): FlatObject {
  return { table: [VERSION, HEADER.schema, { object: schema }, { int64: 0 }] };
}

function batchHeader({ rows, nodes, buffers, bodyBytes }: ArrowBatch): FlatObject {
  const nodeWords = nodes.flatMap(({ length, nulls }) => [length, nulls]);
  const bufferWords = buffers.flatMap(({ offset, bytes }) => [offset, bytes]);
  const batch: FlatObject = {
    table: [
      { int64: rows },
      { object: { words: nodeWords, wordsEach: 2 } },
      { object: { words: bufferWords, wordsEach: 2 } },
    ],
  };
  return { table: [VERSION, HEADER.recordBatch, { object: batch }, { int64: bodyBytes }] };
}

/** A message that begins at `offset` of the file, its metadata padded so that it ends at a multiple of `alignment`. */
function message(header: FlatObject, offset: number, alignment: number): Uint8Array {
  const metadata = encodeFlatBuffer(header);
  const end = Math.ceil((offset + MESSAGE_PREFIX.bytes + metadata.length) / alignment) * alignment;
  const bytes = new Uint8Array(end - offset);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MESSAGE_PREFIX.continuation, LITTLE_ENDIAN);
  view.setUint32(MESSAGE_PREFIX.lengthAt, bytes.length - MESSAGE_PREFIX.bytes, LITTLE_ENDIAN);
  bytes.set(metadata, MESSAGE_PREFIX.bytes);
  return bytes;
}
