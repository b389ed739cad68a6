import { type ByteSource, FormatError } from '../byte-source.ts';
import type { ColumnBatch, ColumnReader, FileColumn, NumberArray } from '../columns.ts';
import { NPY_HEADER, NPY_MAGIC } from './npy-format.ts';

/** Bytes of a text of fixed width: more are no text that a field holds. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

interface NpyArray {
  readonly source: ByteSource;
  readonly dataAt: number;
  readonly type: ElementType;
  readonly rows: number;
  /** Elements of a row; `null`: the array has one dimension. */
  readonly width: number | null;
}

/** How elements lie: numbers, or texts of `bytes` bytes. */
type ElementType =
  | { readonly kind: 'numbers'; readonly bytes: number; readonly view: NumberView; readonly isBool: boolean }
  | { readonly kind: 'texts'; readonly bytes: number; readonly encoding: 'utf-32' | 'utf-8' };
type NumberView = (buffer: ArrayBuffer) => NumberArray;

const NUMBERS: Readonly<Record<string, readonly [bytes: number, view: NumberView]>> = {
  b1: [1, (buffer) => new Uint8Array(buffer)],
  i1: [1, (buffer) => new Int8Array(buffer)],
  u1: [1, (buffer) => new Uint8Array(buffer)],
  i2: [2, (buffer) => new Int16Array(buffer)],
  u2: [2, (buffer) => new Uint16Array(buffer)],
  i4: [4, (buffer) => new Int32Array(buffer)],
  u4: [4, (buffer) => new Uint32Array(buffer)],
  i8: [8, (buffer) => new BigInt64Array(buffer)],
  u8: [8, (buffer) => new BigUint64Array(buffer)],
  f2: [2, (buffer) => new Float16Array(buffer)],
  f4: [4, (buffer) => new Float32Array(buffer)],
  f8: [8, (buffer) => new Float64Array(buffer)],
};

/** Arrays of one or two dimensions as columns: a file for each, all of as many rows. */
export class NumpyRows implements ColumnReader {
  readonly rows: number;
  readonly #arrays: ReadonlyMap<string, NpyArray>;
  #at = 0;

  private constructor(arrays: ReadonlyMap<string, NpyArray>, rows: number) {
    this.#arrays = arrays;
    this.rows = rows;
  }

  /** Files by the name of their column. @throws FormatError */
  static async open(sources: ReadonlyMap<string, ByteSource>): Promise<NumpyRows> {
    const arrays = new Map<string, NpyArray>();
    for (const [name, source] of sources) arrays.set(name, await openArray(name, source));
    const counts = new Set([...arrays.values()].map(({ rows }) => rows));
    if (counts.size > 1) {
      const shown = [...arrays].map(([name, { rows }]) => `${name} ${rows}`).join(', ');
      throw new FormatError(`the files have different numbers of rows: ${shown}`);
    }
    return new NumpyRows(arrays, [...counts][0] ?? 0);
  }

  get names(): readonly string[] {
    return [...this.#arrays.keys()];
  }

  async skip(rows: number): Promise<void> {
    this.#at = Math.min(this.rows, this.#at + rows);
  }

  async next(rowsMax: number): Promise<ColumnBatch | null> {
    const rows = Math.min(rowsMax, this.rows - this.#at);
    if (rows === 0) return null;
    const columns = new Map<string, FileColumn>();
    for (const [name, array] of this.#arrays) columns.set(name, await readRows(array, this.#at, rows));
    this.#at += rows;
    return { rows, columns };
  }
}

async function readRows(array: NpyArray, from: number, rows: number): Promise<FileColumn> {
  const { source, dataAt, type, width } = array;
  const rowBytes = type.bytes * (width ?? 1);
  const bytes = await source.read(dataAt + from * rowBytes, rows * rowBytes);
  if (type.kind === 'texts')
    return { kind: 'cells', values: Array.from({ length: rows }, (_, row) => textAt(bytes, row, type)) };
  const numbers = type.view(ownBuffer(bytes));
  if (width === null) {
    if (!type.isBool) return { kind: 'numbers', values: numbers };
    return { kind: 'cells', values: Array.from(numbers as Uint8Array, (value) => value !== 0) };
  }
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, row) => row * width);
  return { kind: 'lists', offsets, numbers, nulls: null };
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return (isWhole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
}

/** Texts are filled up with zeros. */
function textAt(
  bytes: Uint8Array,
  row: number,
  { bytes: width, encoding }: Extract<ElementType, { kind: 'texts' }>,
): string {
  const own = bytes.subarray(row * width, (row + 1) * width);
  if (encoding === 'utf-8') {
    let end = own.length;
    while (end > 0 && own[end - 1] === 0) end--;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(own.subarray(0, end));
    } catch {
      throw new FormatError('a text is not UTF-8');
    }
  }
  const view = new DataView(own.buffer, own.byteOffset, own.length);
  let end = own.length / 4;
  while (end > 0 && view.getUint32(4 * (end - 1), true) === 0) end--;
  let text = '';
  for (let at = 0; at < end; at++) {
    const point = view.getUint32(4 * at, true);
    if (point > 0x10ffff) throw new FormatError('a text has a character that is none');
    text += String.fromCodePoint(point);
  }
  return text;
}

async function openArray(name: string, source: ByteSource): Promise<NpyArray> {
  const wrong = (what: string): FormatError => new FormatError(`${name}.npy ${what}`);
  const head = await source.read(0, Math.min(source.size, NPY_HEADER.lengthAt + 4));
  const isNpy = head.length >= NPY_HEADER.lengthAt + 4 && NPY_MAGIC.every((byte, at) => head[at] === byte);
  if (!isNpy) throw wrong('is no NumPy file');
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const isShort = head[NPY_HEADER.versionAt] === 1;
  const length = isShort
    ? view.getUint16(NPY_HEADER.lengthAt, true)
    : view.getUint32(NPY_HEADER.lengthAt, true);
  const headerAt = NPY_HEADER.lengthAt + (isShort ? 2 : 4);
  if (length > NPY_HEADER.bytesMax || headerAt + length > source.size) throw wrong('has a damaged header');
  const text = Buffer.from(await source.read(headerAt, length)).toString('latin1');
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  if (descr === undefined || shape === undefined || order === undefined)
    throw wrong('has a header that cannot be read: arrays of objects and of records are not taken');
  const sizes = shape.split(',').map((part) => part.trim());
  const dimensions = sizes.filter((part) => part !== '').map(Number);
  if (dimensions.length < 1 || dimensions.length > 2 || !dimensions.every(Number.isSafeInteger))
    throw wrong(`has ${dimensions.length} dimensions, 1 or 2 are taken`);
  if (order === 'True' && dimensions.length === 2) throw wrong('lies column by column (fortran_order)');
  const type = elementType(descr, wrong);
  const [rows, width = null] = dimensions as [number, number?];
  const dataAt = headerAt + length;
  const needed = rows * (width ?? 1) * type.bytes;
  if (dataAt + needed > source.size)
    throw wrong(`has ${source.size - dataAt} bytes of data, ${needed} by its header`);
  if (rows > 0 && needed === 0) throw wrong('has rows without bytes');
  if (type.kind === 'texts' && width !== null) throw wrong('has texts in two dimensions');
  return { source, dataAt, type, rows, width };
}

function elementType(descr: string, wrong: (what: string) => FormatError): ElementType {
  const parts = /^([<>|=]?)([a-zA-Z])(\d{1,9})$/.exec(descr);
  if (parts === null) throw wrong(`has elements of type ${descr}, which is not taken`);
  const [, byteOrder, letter, digits] = parts as unknown as [string, string, string, string];
  const size = Number(digits);
  if (byteOrder === '>' && size > 1)
    throw wrong(`has elements of type ${descr}: big-endian ones are not taken`);
  if (letter === 'U' || letter === 'S') {
    const bytes = letter === 'U' ? 4 * size : size;
    if (bytes > TEXT_BYTES_MAX) throw wrong(`has texts of ${bytes} bytes`);
    return { kind: 'texts', bytes, encoding: letter === 'U' ? 'utf-32' : 'utf-8' };
  }
  const known = NUMBERS[`${letter}${size}`];
  if (known === undefined) throw wrong(`has elements of type ${descr}, which is not taken`);
  return { kind: 'numbers', bytes: known[0], view: known[1], isBool: letter === 'b' };
}
