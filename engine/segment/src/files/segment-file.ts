import { crc32 } from 'node:zlib';
import { type Column, DataType, type FieldId } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { checkColumn } from './check-column.ts';
import { decodeColumn } from './decode-column.ts';
import { KeyFilter } from './key-filter.ts';
import { damaged, SegmentFileError } from './segment-file-error.ts';
import {
  decodeFooter,
  type FileColumn,
  type FileRegion,
  type SegmentFileFooter,
} from './segment-file-footer.ts';
import {
  ALIGNMENT,
  ARROW_HEAD_BYTES,
  ARROW_MAGIC,
  ARROW_TAIL_BYTES,
  FOOTER_BYTES_MAX,
  LITTLE_ENDIAN,
  SEGMENT_FILE_VERSION,
  TIMESTAMP_FIELD_ID,
  TRAILER,
  TRAILER_MAGIC,
} from './segment-file-format.ts';
import type { SegmentFileSource } from './segment-file-source.ts';

export interface ReadSegmentFileOptions {
  readonly share: LoopShare;
  readonly signal?: AbortSignal;
}

/** The end of a file that is read first: most footers are in it. */
const TAIL_BYTES = 64 * 1024;
/** Bytes whose checksum is computed at a stretch: well under a millisecond. */
const CHECKSUM_STRETCH = 1024 * 1024;

/**
 * A segment file that is open: its footer is read and checked, its columns are read when they are asked for. Nothing
 * is kept of them: who asks twice reads twice. Everything that comes out has been compared with its checksum, and is
 * sound in itself: no offset points outside of its column.
 */
export class SegmentFile {
  readonly footer: SegmentFileFooter;
  readonly #source: SegmentFileSource;
  /** What only Arrow's readers look at. */
  readonly #arrowRegions: readonly FileRegion[];

  private constructor(
    source: SegmentFileSource,
    footer: SegmentFileFooter,
    arrowRegions: readonly FileRegion[],
  ) {
    this.#source = source;
    this.footer = footer;
    this.#arrowRegions = arrowRegions;
  }

  /** @throws SegmentFileError; what the source throws; the signal's reason */
  static async open(source: SegmentFileSource, signal?: AbortSignal): Promise<SegmentFile> {
    const { sizeBytes } = source;
    const least = ARROW_HEAD_BYTES + TRAILER.bytes + ARROW_TAIL_BYTES;
    if (sizeBytes < least) throw new SegmentFileError('foreign', `${sizeBytes} bytes are no segment file`);
    const tail = new FileTail(source, signal);
    const end = await tail.read(sizeBytes - ARROW_TAIL_BYTES, ARROW_TAIL_BYTES);
    if (!ARROW_MAGIC.equals(end.subarray(4)))
      throw new SegmentFileError('foreign', 'the file does not end as Arrow’s do');
    const arrowBytes = viewOf(end).getUint32(0, LITTLE_ENDIAN);
    const trailerAt = sizeBytes - ARROW_TAIL_BYTES - arrowBytes - TRAILER.bytes;
    if (arrowBytes > FOOTER_BYTES_MAX || trailerAt < ARROW_HEAD_BYTES)
      throw damaged('a length at its end is wrong');
    const trailer = readTrailer(await tail.read(trailerAt, TRAILER.bytes));
    const footerAt = trailerAt - trailer.footerBytes;
    const isPlausible = trailer.footerBytes <= FOOTER_BYTES_MAX && footerAt >= trailer.headBytes;
    if (!isPlausible) throw damaged('a length in its trailer is wrong');
    const footerBytes = await tail.read(footerAt, trailer.footerBytes);
    if (crc32(footerBytes) !== trailer.footerChecksum) throw damaged('the checksum of its footer is wrong');
    const footer = decodeFooter(footerBytes, trailer.headBytes, footerAt);
    return new SegmentFile(source, footer, [
      { offset: 0, bytes: trailer.headBytes, crc32: trailer.headChecksum },
      { offset: trailerAt + TRAILER.bytes, bytes: arrowBytes, crc32: trailer.arrowFooterChecksum },
    ]);
  }

  /** Where a field's column lies and what is known of it; `undefined` when the file has none. */
  find(id: FieldId): FileColumn | undefined {
    return this.footer.columns.find(({ field }) => field.id === id);
  }

  /** When its oldest and its newest row was written, or deleted, as its statistics say. @throws SegmentFileError */
  get times(): { readonly first: bigint; readonly last: bigint } {
    const { min = null, max = null } = this.find(TIMESTAMP_FIELD_ID as FieldId)?.statistics ?? {};
    if (typeof min !== 'bigint' || typeof max !== 'bigint') throw damaged('it has no timestamps');
    return { first: min, last: max };
  }

  /**
   * A field's values: views of what the source gave, but for flags and nulls, which are unpacked.
   * @throws RangeError when the file does not have the field; as `open` does
   */
  async column(id: FieldId, { share, signal }: ReadSegmentFileOptions): Promise<Column> {
    const column = this.find(id);
    if (column === undefined) throw new RangeError(`the file has no field ${id}`);
    const { buffers } = column;
    const start = buffers[0]!.offset;
    const last = buffers.at(-1)!;
    const bytes = await this.#source.read(start, last.offset + last.bytes - start, signal);
    const takeTurns = turns(share, signal);
    const parts = new Map<string, Uint8Array>();
    for (const buffer of buffers) {
      const part = bytes.subarray(buffer.offset - start, buffer.offset - start + buffer.bytes);
      await this.#compare(part, buffer, takeTurns);
      parts.set(buffer.role, part);
    }
    const decoded = await decodeColumn(column, this.footer.rows, parts, takeTurns);
    await checkColumn(column.field.name, decoded, takeTurns);
    return decoded;
  }

  /** When each row was written, or each key deleted. */
  async timestamps(options: ReadSegmentFileOptions): Promise<BigInt64Array> {
    const column = await this.column(TIMESTAMP_FIELD_ID as FieldId, options);
    if (column.dataType !== DataType.Int64) throw damaged('its timestamps are no numbers of 64 bits');
    return column.values;
  }

  /** Which keys the file can't have; `null` for a file without a filter. */
  async keyFilter({ share, signal }: ReadSegmentFileOptions): Promise<KeyFilter | null> {
    const region = this.footer.keyFilter;
    if (region === null) return null;
    const bytes = await this.#source.read(region.offset, region.bytes, signal);
    await this.#compare(bytes, region, turns(share, signal));
    return new KeyFilter(bytes);
  }

  /** The row numbers in the order of their keys; `null` when the rows lie in this order. */
  async keyOrder({ share, signal }: ReadSegmentFileOptions): Promise<Uint32Array | null> {
    const region = this.footer.keyOrder;
    if (region === null) return null;
    const bytes = await this.#source.read(region.offset, region.bytes, signal);
    await this.#compare(bytes, region, turns(share, signal));
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /** Compares every byte of the file that matters with its checksum. @throws as `open` does */
  async verify(options: ReadSegmentFileOptions): Promise<void> {
    const takeTurns = turns(options.share, options.signal);
    for (const region of this.#arrowRegions) {
      await this.#compare(
        await this.#source.read(region.offset, region.bytes, options.signal),
        region,
        takeTurns,
      );
    }
    for (const { field } of this.footer.columns) await this.column(field.id, options);
    await this.keyFilter(options);
    await this.keyOrder(options);
  }

  async #compare(bytes: Uint8Array, region: FileRegion, takeTurns: () => Promise<void>): Promise<void> {
    if (bytes.length !== region.bytes) throw damaged('it ends before its last buffer');
    let sum = 0;
    for (let at = 0; at < bytes.length; at += CHECKSUM_STRETCH) {
      sum = crc32(bytes.subarray(at, at + CHECKSUM_STRETCH), sum);
      await takeTurns();
    }
    if (sum !== region.crc32) throw damaged(`the checksum of the bytes from ${region.offset} on is wrong`);
  }
}

interface Trailer {
  readonly footerBytes: number;
  readonly footerChecksum: number;
  readonly arrowFooterChecksum: number;
  readonly headBytes: number;
  readonly headChecksum: number;
}

function readTrailer(bytes: Uint8Array): Trailer {
  const view = viewOf(bytes);
  const word = (at: number) => view.getUint32(at, LITTLE_ENDIAN);
  if (!TRAILER_MAGIC.equals(bytes.subarray(TRAILER.magicAt, TRAILER.versionAt))) {
    throw new SegmentFileError('foreign', 'an Arrow file, but none of Elanus');
  }
  if (crc32(bytes.subarray(0, TRAILER.checksumAt)) !== word(TRAILER.checksumAt)) {
    throw damaged('the checksum of its trailer is wrong');
  }
  const version = word(TRAILER.versionAt);
  if (version !== SEGMENT_FILE_VERSION) {
    throw new SegmentFileError(
      'newer',
      `the segment file has version ${version}, this Elanus knows ${SEGMENT_FILE_VERSION}`,
    );
  }
  const headBytes = word(TRAILER.headBytesAt);
  if (headBytes % ALIGNMENT !== 0) throw damaged('its head has a wrong length');
  return {
    footerBytes: word(TRAILER.footerBytesAt),
    footerChecksum: word(TRAILER.footerChecksumAt),
    arrowFooterChecksum: word(TRAILER.arrowFooterChecksumAt),
    headBytes,
    headChecksum: word(TRAILER.headChecksumAt),
  };
}

/** The end of a file, read at once; what lies before it is read when it is asked for. */
class FileTail {
  readonly #source: SegmentFileSource;
  readonly #signal: AbortSignal | undefined;
  readonly #start: number;
  #bytes: Uint8Array | null = null;

  constructor(source: SegmentFileSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    // From a multiple of 8, so that a map gives views that can be looked at.
    this.#start = Math.max(0, Math.floor((source.sizeBytes - TAIL_BYTES) / 8) * 8);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const { sizeBytes } = this.#source;
    if (offset < this.#start) return await this.#source.read(offset, length, this.#signal);
    this.#bytes ??= await this.#source.read(this.#start, sizeBytes - this.#start, this.#signal);
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function turns(share: LoopShare, signal: AbortSignal | undefined): () => Promise<void> {
  return async () => {
    if (share.isSpent()) await share.nextTurn(signal);
  };
}
