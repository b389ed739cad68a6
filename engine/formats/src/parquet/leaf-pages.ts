import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { ColumnMetaData, Compressors, DecodedArray, SchemaTree } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { type ByteSource, FormatError, PIECE_BYTES } from '../byte-source.ts';
import { type ColumnDecoder, DataPage, type LeafPage, type RawPage, viewOf } from './leaf-page.ts';
import type { PageMemory } from './page-memory.ts';
import { inflateSnappy } from './snappy.ts';

/** A page that says it has more is refused: writers make pages of a mebibyte. */
const PAGE_BYTES_MAX = 256 * 1024 * 1024;
/** A header is far below this, statistics included. */
const HEADER_BYTES = 64 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** As hyparquet decodes, but texts have to be UTF-8, JSON stays text, and times are text with a zone. */
const PARSERS = {
  ...DEFAULT_PARSERS,
  stringFromBytes: decodedText,
  jsonFromBytes: decodedText,
  timestampFromMilliseconds: (ms: bigint) => new Date(Number(ms)).toISOString(),
  timestampFromMicroseconds: (us: bigint) => {
    const seconds = new Date(Number(us / 1000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(((us % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0')}Z`;
  },
  timestampFromNanoseconds: (ns: bigint) => new Date(Number(ns / 1_000_000n)).toISOString(),
};

function decodedText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError('a text is not UTF-8');
  }
}

/** Of an empty page nothing is to be made. */
const upTo =
  (inflate: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array) =>
  (bytes: Uint8Array, length: number): Uint8Array =>
    length === 0 ? new Uint8Array(0) : inflate(bytes, { maxOutputLength: length });

const COMPRESSORS: Compressors = {
  GZIP: upTo(gunzipSync),
  BROTLI: upTo(brotliDecompressSync),
  ZSTD: upTo(zstdDecompressSync),
};

/** The pages of one leaf in one row group, one after the other: no more than a page is in memory. */
export async function* leafPages(
  source: ByteSource,
  metadata: ColumnMetaData,
  { schemaPath, memory }: { readonly schemaPath: SchemaTree[]; readonly memory: PageMemory },
): AsyncGenerator<LeafPage> {
  const column = {
    ...metadata,
    pathInSchema: metadata.path_in_schema,
    element: schemaPath.at(-1)!.element,
    schemaPath,
    parsers: PARSERS,
    compressors: {
      ...COMPRESSORS,
      SNAPPY: (bytes: Uint8Array, length: number) => inflateSnappy(bytes, memory.take(length)),
    },
    utf8: false,
  } as unknown as ColumnDecoder;
  let dictionary: DecodedArray | undefined;
  for await (const page of rawPages(source, metadata, memory)) {
    const { header, bytes } = page;
    if (header.type === 'DICTIONARY_PAGE') {
      const reader = { view: viewOf(bytes), offset: 0 };
      const { data } = readPage(reader, header, column, undefined, undefined, 0) as { data?: DecodedArray };
      if (data !== undefined) dictionary = convert(data, column);
    } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
      yield new DataPage(page, { column, memory }, dictionary);
    }
  }
}

async function* rawPages(
  source: ByteSource,
  metadata: ColumnMetaData,
  memory: PageMemory,
): AsyncGenerator<RawPage> {
  const { data_page_offset, dictionary_page_offset, total_compressed_size, codec } = metadata;
  const begin = Number(dictionary_page_offset || data_page_offset);
  const end = begin + Number(total_compressed_size);
  if (!(begin >= 0 && end <= source.size)) throw new FormatError('a column lies outside of the file');
  // What is not inflated stays where it was read.
  using window = new Window(source, { end, memory: codec === 'UNCOMPRESSED' ? null : memory });
  for (let at = begin; at < end - 1; ) {
    const headBytes = await window.bytes(at, Math.min(HEADER_BYTES, end - at));
    const reader = { view: viewOf(headBytes), offset: 0 };
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: inflated } = header;
    at += reader.offset;
    const isPossible = size >= 0 && at + size <= end && inflated >= 0 && inflated <= PAGE_BYTES_MAX;
    if (!isPossible || size > PAGE_BYTES_MAX) throw new FormatError('a page has an impossible size');
    // The next header lies behind it.
    yield { header, bytes: await window.bytes(at, size, HEADER_BYTES) };
    at += size;
  }
}

/** Bytes near one another, read a piece at a time; they are valid until others are asked for, when `memory` is given. */
class Window implements Disposable {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #memory: PageMemory | null;
  #taken: Uint8Array | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(
    source: ByteSource,
    { end, memory }: { readonly end: number; readonly memory: PageMemory | null },
  ) {
    this.#source = source;
    this.#end = end;
    this.#memory = memory;
  }

  /** `length` bytes, and if they have to be read, `more` behind them. */
  async bytes(from: number, length: number, more = 0): Promise<Uint8Array> {
    if (from < this.#from || from + length > this.#from + this.#bytes.length) {
      const wanted = Math.min(Math.max(length + more, PIECE_BYTES), this.#end - from);
      this[Symbol.dispose]();
      this.#taken = this.#memory?.take(wanted) ?? null;
      this.#bytes = await this.#source.read(from, wanted, this.#taken ?? undefined);
      this.#from = from;
    }
    return this.#bytes.subarray(from - this.#from, from - this.#from + length);
  }

  [Symbol.dispose](): void {
    if (this.#taken !== null) this.#memory!.give(this.#taken);
    this.#taken = null;
  }
}
