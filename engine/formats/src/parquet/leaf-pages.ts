import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { ColumnMetaData, Compressors, DecodedArray, SchemaTree } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { type ByteSource, FormatError, PIECE_BYTES } from '../byte-source.ts';
import { areOneRun, levelBits, readLevels } from './levels.ts';
import { inflateSnappy } from './snappy.ts';

type ColumnDecoder = Parameters<typeof readPage>[2];
type PageHeader = ReturnType<typeof parquetHeader>;

/** A page that says it has more is refused: writers make pages of a mebibyte. */
const PAGE_BYTES_MAX = 256 * 1024 * 1024;
const PAGE_VALUES_MAX = 64 * 1024 * 1024;
const NO_LEVELS = new Uint8Array(0);
/** A header is far below this, statistics included. */
const HEADER_BYTES = 64 * 1024;

/** Values of a page of one leaf, and the levels that say which rows and lists they are in. */
export interface LeafPage {
  /** Those that are there: nulls have none. */
  readonly values: DecodedArray;
  /** One each for every value, null and empty list; `null`: all of them are values. */
  readonly definitionLevels: Uint8Array | null;
  /** One each for the same; `null`: of a leaf that does not repeat. */
  readonly repetitionLevels: Uint8Array | null;
}

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
  SNAPPY: inflateSnappy,
};

/** The pages of one leaf in one row group, one after the other: no more than a page is in memory. */
export async function* leafPages(
  source: ByteSource,
  metadata: ColumnMetaData,
  schemaPath: SchemaTree[],
): AsyncGenerator<LeafPage> {
  const decoder = {
    ...metadata,
    pathInSchema: metadata.path_in_schema,
    element: schemaPath.at(-1)!.element,
    schemaPath,
    parsers: PARSERS,
    compressors: COMPRESSORS,
    utf8: false,
  } as unknown as ColumnDecoder;
  let dictionary: DecodedArray | undefined;
  for await (const { header, bytes } of rawPages(source, metadata)) {
    if (header.type === 'DICTIONARY_PAGE') {
      const reader = { view: viewOf(bytes), offset: 0 };
      const { data } = readPage(reader, header, decoder, undefined, undefined, 0) as { data?: DecodedArray };
      if (data !== undefined) dictionary = convert(data, decoder);
    } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
      yield decodedPage(header, bytes, decoder, dictionary);
    }
  }
}

interface RawPage {
  readonly header: PageHeader;
  readonly bytes: Uint8Array;
}

async function* rawPages(source: ByteSource, metadata: ColumnMetaData): AsyncGenerator<RawPage> {
  const { data_page_offset, dictionary_page_offset, total_compressed_size } = metadata;
  const begin = Number(dictionary_page_offset || data_page_offset);
  const end = begin + Number(total_compressed_size);
  if (!(begin >= 0 && end <= source.size)) throw new FormatError('a column lies outside of the file');
  const window = new Window(source, end);
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

/** Bytes near one another, read a piece at a time. */
class Window {
  readonly #source: ByteSource;
  readonly #end: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(source: ByteSource, end: number) {
    this.#source = source;
    this.#end = end;
  }

  /** `length` bytes, and if they have to be read, `more` behind them. */
  async bytes(from: number, length: number, more = 0): Promise<Uint8Array> {
    if (from < this.#from || from + length > this.#from + this.#bytes.length) {
      const wanted = Math.min(Math.max(length + more, PIECE_BYTES), this.#end - from);
      this.#bytes = await this.#source.read(from, wanted);
      this.#from = from;
    }
    return this.#bytes.subarray(from - this.#from, from - this.#from + length);
  }
}

function decodedPage(
  header: PageHeader,
  bytes: Uint8Array,
  decoder: ColumnDecoder,
  dictionary: DecodedArray | undefined,
): LeafPage {
  const { schemaPath, codec, compressors } = decoder;
  const maxRepetition = getMaxRepetitionLevel(schemaPath);
  const maxDefinition = getMaxDefinitionLevel(schemaPath);
  const { data_page_header: first, data_page_header_v2: second } = header;
  const { num_values: count, encoding } = (first ?? second)!;
  if (!(count >= 0 && count <= PAGE_VALUES_MAX)) throw new FormatError(`a page of ${count} values`);
  let content: Uint8Array;
  let repetitionBytes: Uint8Array;
  let definitionBytes: Uint8Array;
  if (first !== undefined) {
    content = decompressPage(bytes, header.uncompressed_page_size, codec, compressors);
    const levels = (max: number): Uint8Array => {
      if (max === 0) return NO_LEVELS;
      const length = content.length < 4 ? Number.NaN : viewOf(content).getUint32(0, true);
      if (!(4 + length <= content.length)) throw new FormatError('a page has damaged levels');
      const own = content.subarray(4, 4 + length);
      content = content.subarray(4 + length);
      return own;
    };
    repetitionBytes = levels(maxRepetition);
    definitionBytes = levels(maxDefinition);
  } else {
    const page = second!;
    const { repetition_levels_byte_length: split } = page;
    const levelBytes = split + page.definition_levels_byte_length;
    if (!(levelBytes >= 0 && levelBytes <= bytes.length)) throw new FormatError('a page has damaged levels');
    repetitionBytes = bytes.subarray(0, split);
    definitionBytes = bytes.subarray(split, levelBytes);
    const packed = bytes.subarray(levelBytes);
    content =
      page.is_compressed === false
        ? packed
        : decompressPage(packed, header.uncompressed_page_size - levelBytes, codec, compressors);
  }
  const repetitionLevels =
    maxRepetition === 0 ? null : readLevels(repetitionBytes, levelBits(maxRepetition), count);
  const areAllThere = maxDefinition === 0 || areOneRun(definitionBytes, maxDefinition, count);
  const definitionLevels = areAllThere ? null : readLevels(definitionBytes, levelBits(maxDefinition), count);
  const present = definitionLevels === null ? count : countOf(definitionLevels, maxDefinition);
  return {
    values: decodedValues(content, present, encoding, decoder, dictionary),
    definitionLevels,
    repetitionLevels,
  };
}

function decodedValues(
  content: Uint8Array,
  count: number,
  encoding: string,
  decoder: ColumnDecoder,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  if (count === 0) return [];
  const { type, element } = decoder;
  if (encoding === 'PLAIN')
    return convert(
      readPlain({ view: viewOf(content), offset: 0 }, type, count, element.type_length),
      decoder,
    );
  if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    if (dictionary === undefined) throw new FormatError('a page refers to a dictionary that is not there');
    const bitWidth = content[0] ?? 0;
    const places = new Uint32Array(count);
    if (bitWidth > 32) throw new FormatError('a page has damaged values');
    const reader = { view: viewOf(content), offset: 1 };
    if (bitWidth > 0) readRleBitPackedHybrid(reader, bitWidth, places, content.length - 1);
    if (places.some((place) => place >= dictionary.length))
      throw new FormatError('a page has damaged values');
    return dictionary instanceof Float32Array
      ? Float32Array.from(places, (place) => dictionary[place]!)
      : Array.from(places, (place) => dictionary[place]);
  }
  // The rarer encodings, by a page without levels.
  const flat = { ...decoder, schemaPath: decoder.schemaPath.slice(0, 1) } as ColumnDecoder;
  const header = {
    type: 'DATA_PAGE',
    uncompressed_page_size: content.length,
    compressed_page_size: content.length,
    data_page_header: { num_values: count, encoding },
  } as unknown as PageHeader;
  const reader = { view: viewOf(content), offset: 0 };
  const { data } = readPage(reader, header, { ...flat, codec: 'UNCOMPRESSED' }, dictionary, undefined, 0) as {
    data?: DecodedArray;
  };
  return data ?? [];
}

function countOf(levels: Uint8Array, wanted: number): number {
  let count = 0;
  for (let at = 0; at < levels.length; at++) if (levels[at] === wanted) count++;
  return count;
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
