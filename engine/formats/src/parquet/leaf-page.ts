import type { DecodedArray } from 'hyparquet';
import { type parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { FormatError } from '../byte-source.ts';
import { areOneRun, levelBits, readLevels, zerosOf } from './levels.ts';
import type { PageMemory } from './page-memory.ts';

export type ColumnDecoder = Parameters<typeof readPage>[2];
export type PageHeader = ReturnType<typeof parquetHeader>;

const PAGE_VALUES_MAX = 64 * 1024 * 1024;
const NO_LEVELS = new Uint8Array(0);

/** A page as its column chunk has it. */
export interface RawPage {
  readonly header: PageHeader;
  /** Valid until the next page is asked for. */
  readonly bytes: Uint8Array;
}

/** How the pages of one leaf are read. */
export interface LeafDecoder {
  readonly column: ColumnDecoder;
  /** Where inflated bytes may lie. */
  readonly memory: PageMemory;
}

/** What rows are made of: values of one leaf, and the levels that say which rows and lists they are in. */
export interface LeafPage {
  /** Levels: one each for every value, null and empty list. */
  readonly count: number;
  /** `null`: all levels are of values. */
  readonly definitionLevels: Uint8Array | null;
  /** `null`: of a leaf that does not repeat. Has to be asked for before the next page is. */
  repetitionLevels(): Uint8Array | null;
  /** Of a leaf that repeats once: which levels begin a row, ascending. Has to be asked for before the next page is. */
  rowStarts(): Uint32Array;
  /** Those that are there: nulls have none. */
  values(): DecodedArray;
  /** Values that are float32, as their bytes, which may begin anywhere; `null`: they are something else, or have to be decoded. */
  floatBytes(): Uint8Array | null;
  /** Says that nobody reads `floatBytes` any more, nor has asked for `values`. */
  release(): void;
}

/** A data page whose values are decoded when they are asked for. */
export class DataPage implements LeafPage {
  readonly count: number;
  readonly definitionLevels: Uint8Array | null;
  readonly #decoder: LeafDecoder;
  readonly #dictionary: DecodedArray | undefined;
  readonly #encoding: string;
  readonly #repetitionBytes: Uint8Array;
  readonly #maxRepetition: number;
  readonly #content: Uint8Array;
  /** Where the content was inflated to; `null`: it was not. */
  readonly #inflated: Uint8Array | null;
  readonly #present: number;

  /** @throws FormatError, and whatever hyparquet throws for damaged bytes */
  constructor({ header, bytes }: RawPage, decoder: LeafDecoder, dictionary: DecodedArray | undefined) {
    const { schemaPath } = decoder.column;
    const maxDefinition = getMaxDefinitionLevel(schemaPath);
    const { num_values: count, encoding } = (header.data_page_header ?? header.data_page_header_v2)!;
    if (!(count >= 0 && count <= PAGE_VALUES_MAX)) throw new FormatError(`a page of ${count} values`);
    this.count = count;
    this.#decoder = decoder;
    this.#dictionary = dictionary;
    this.#encoding = encoding;
    this.#maxRepetition = getMaxRepetitionLevel(schemaPath);
    const levels = { hasRepetition: this.#maxRepetition > 0, hasDefinition: maxDefinition > 0 };
    const parts =
      header.data_page_header === undefined
        ? partsOfSecond(header, bytes, decoder.column)
        : partsOfFirst(header, bytes, decoder.column, levels);
    this.#repetitionBytes = parts.repetitionBytes;
    this.#content = parts.content;
    this.#inflated = parts.inflated;
    const areAllThere = maxDefinition === 0 || areOneRun(parts.definitionBytes, maxDefinition, count);
    this.definitionLevels = areAllThere
      ? null
      : readLevels(parts.definitionBytes, levelBits(maxDefinition), count);
    this.#present = this.definitionLevels === null ? count : countOf(this.definitionLevels, maxDefinition);
  }

  repetitionLevels(): Uint8Array | null {
    if (this.#maxRepetition === 0) return null;
    return readLevels(this.#repetitionBytes, levelBits(this.#maxRepetition), this.count);
  }

  rowStarts(): Uint32Array {
    return zerosOf(this.#repetitionBytes, this.count);
  }

  values(): DecodedArray {
    return decodedValues(
      this.#content,
      this.#present,
      this.#encoding,
      this.#decoder.column,
      this.#dictionary,
    );
  }

  floatBytes(): Uint8Array | null {
    if (this.#encoding !== 'PLAIN' || this.#decoder.column.type !== 'FLOAT') return null;
    const { length } = this.#content;
    const bytes = Float32Array.BYTES_PER_ELEMENT * this.#present;
    if (bytes > length) throw new FormatError(`a page has ${length} bytes of ${bytes}`);
    return this.#content.subarray(0, bytes);
  }

  release(): void {
    if (this.#inflated !== null) this.#decoder.memory.give(this.#inflated);
  }
}

interface PageParts {
  readonly repetitionBytes: Uint8Array;
  readonly definitionBytes: Uint8Array;
  readonly content: Uint8Array;
  readonly inflated: Uint8Array | null;
}

/** Of a page whose levels are inflated with its values. */
function partsOfFirst(
  header: PageHeader,
  bytes: Uint8Array,
  { codec, compressors }: ColumnDecoder,
  { hasRepetition, hasDefinition }: { readonly hasRepetition: boolean; readonly hasDefinition: boolean },
): PageParts {
  const whole = decompressPage(bytes, header.uncompressed_page_size, codec, compressors);
  let content = whole;
  const levels = (): Uint8Array => {
    const length = content.length < 4 ? Number.NaN : viewOf(content).getUint32(0, true);
    if (!(4 + length <= content.length)) throw new FormatError('a page has damaged levels');
    const own = content.subarray(4, 4 + length);
    content = content.subarray(4 + length);
    return own;
  };
  const repetitionBytes = hasRepetition ? levels() : NO_LEVELS;
  const definitionBytes = hasDefinition ? levels() : NO_LEVELS;
  return { repetitionBytes, definitionBytes, content, inflated: codec === 'SNAPPY' ? whole : null };
}

/** Of a page whose levels stand before what may be inflated. */
function partsOfSecond(
  header: PageHeader,
  bytes: Uint8Array,
  { codec, compressors }: ColumnDecoder,
): PageParts {
  const page = header.data_page_header_v2!;
  const { repetition_levels_byte_length: split } = page;
  const levelBytes = split + page.definition_levels_byte_length;
  if (!(levelBytes >= 0 && levelBytes <= bytes.length)) throw new FormatError('a page has damaged levels');
  const levels = {
    repetitionBytes: bytes.subarray(0, split),
    definitionBytes: bytes.subarray(split, levelBytes),
  };
  const packed = bytes.subarray(levelBytes);
  // Values outlive the bytes of their page.
  if (page.is_compressed === false) return { ...levels, content: packed.slice(), inflated: null };
  const content = decompressPage(packed, header.uncompressed_page_size - levelBytes, codec, compressors);
  return { ...levels, content, inflated: codec === 'SNAPPY' ? content : null };
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

/** The same bytes, as hyparquet wants them. */
export function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
