import { firstPlace } from '@elanus/model';
import { bitsOfWord } from './bits-of-word.ts';
import { copying } from './bloom-set.ts';
import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

/**
 * Integers of 64 bits, exactly: a Roaring bitmap in its portable form
 * (https://github.com/RoaringBitmap/RoaringFormatSpec), of which this is the directory. An integer's upper 48 bits name its
 * container, the lower 16 its place there; negative ones count as their two's complement.
 */
export interface RoaringSet {
  readonly kind: 'roaring';
  /** Upper 48 bits of the integers of each container, ascending. */
  readonly containers: Float64Array;
  readonly forms: Uint8Array;
  /** Where in `body` each container begins. */
  readonly starts: Uint32Array;
  /** Integers of an array, runs of a list of runs. */
  readonly sizes: Uint32Array;
  readonly body: Uint8Array;
}

export const MRB1_MAGIC = 'MRB1';

/** The envelope that clients send the bitmap in; numbers are little-endian. */
const MRB1 = {
  versionAt: 4,
  version: 1,
  formatAt: 6,
  /** Portable Roaring of 64 bits. */
  format: 1,
  cardinalityAt: 8,
  bodyBytesAt: 16,
  reservedAt: 24,
  bytes: 32,
} as const;

/** What a container is: ascending integers, a bit for each possible one, or stretches of integers. */
const FORM = { array: 0, bits: 1, runs: 2 } as const;

const COOKIE = { withoutRuns: 12346, withRuns: 12347 } as const;
const ARRAY_COUNT_MAX = 4096;
const CONTAINERS_MAX = 65_536;
const BITS_BYTES = 8192;
/** A bitmap with runs writes offsets of its containers from so many on. */
const OFFSETS_FROM = 4;
/** What Milvus' own limit on memory adds for each bitmap of 32 bits, and for each container. */
const HIGH_BYTES = 128;
const CONTAINER_BYTES = 64;
const HIGHS_MAX = 262_144;
/** Bytes of containers that are looked through between two pauses. */
const SLICE_BYTES = 128 * 1024;

/** Reads a bitmap in its envelope, in slices and in time linear in its bytes. @throws FilterError for one that is not sound */
export function* readingRoaringSet(blob: Uint8Array): Work<RoaringSet> {
  const bytes = blob.length - MRB1.bytes;
  if (bytes > FILTER_LIMITS.memberSetBytesMax)
    throw invalid(
      `its body is ${bytes} bytes, of which ${FILTER_LIMITS.memberSetBytesMax} are taken at most`,
    );
  if (bytes < 8) throw invalid('it is too short');
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const version = view.getUint16(MRB1.versionAt, true);
  if (version !== MRB1.version) throw invalid(`unsupported version ${version}`);
  const format = view.getUint16(MRB1.formatAt, true);
  if (format !== MRB1.format) throw invalid(`unsupported format ${format}`);
  if (view.getBigUint64(MRB1.reservedAt, true) !== 0n) throw invalid('its reserved field must be 0');
  if (view.getBigUint64(MRB1.bodyBytesAt, true) !== BigInt(bytes))
    throw invalid(`its body has ${bytes} bytes, which is not what its header says`);
  const body = yield* copying(blob, MRB1.bytes);
  const reader = new BitmapReader(body);
  yield* reader.reading();
  if (BigInt(reader.cardinality) !== view.getBigUint64(MRB1.cardinalityAt, true))
    throw invalid(`it holds ${reader.cardinality} integers, which is not what its header says`);
  return yield* reader.packing();
}

function invalid(reason: string): FilterError {
  return new FilterError(`membership_match roaring bitmap blob is invalid: ${reason}`, 'fill');
}

/** Walks through a portable bitmap, notes its containers and checks all that a look-up relies on. */
class BitmapReader {
  readonly #body: Uint8Array<SharedArrayBuffer>;
  readonly #view: DataView;
  #at = 0;
  /** Of containers, in their order. */
  readonly #keys: number[] = [];
  readonly #forms: number[] = [];
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  /** Integers found so far. */
  cardinality = 0;

  constructor(body: Uint8Array<SharedArrayBuffer>) {
    this.#body = body;
    this.#view = new DataView(body.buffer);
  }

  /** The bitmap that was read. */
  *packing(): Work<RoaringSet> {
    const { length } = this.#keys;
    const containers = new Float64Array(new SharedArrayBuffer(8 * length));
    const starts = new Uint32Array(new SharedArrayBuffer(4 * length));
    const sizes = new Uint32Array(new SharedArrayBuffer(4 * length));
    const forms = new Uint8Array(new SharedArrayBuffer(length));
    for (let i = 0; i < length; i++) {
      if (i % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
      containers[i] = this.#keys[i]!;
      starts[i] = this.#starts[i]!;
      sizes[i] = this.#sizes[i]!;
      forms[i] = this.#forms[i]!;
    }
    return { kind: 'roaring', containers, forms, starts, sizes, body: this.#body };
  }

  *reading(): Work<void> {
    const highs = this.#view.getBigUint64(0, true);
    this.#at = 8;
    if (highs > BigInt(HIGHS_MAX)) throw invalid(`more than ${HIGHS_MAX} high containers`);
    this.#requireRoom(Number(highs), 0);
    let last = -1;
    for (let i = 0; i < Number(highs); i++) {
      const high = this.#word();
      if (high <= last) throw invalid('high keys are not in order');
      last = high;
      yield* this.#readingHigh(high, Number(highs));
    }
    if (this.#at !== this.#body.length) throw invalid('bytes follow its last container');
  }

  /** @throws FilterError when that many more containers would take too much memory, as Milvus reckons it */
  #requireRoom(highs: number, containers: number): void {
    const bytes = this.#body.length + HIGH_BYTES * highs + CONTAINER_BYTES * (this.#keys.length + containers);
    const { memberSetBytesMax } = FILTER_LIMITS;
    if (bytes > memberSetBytesMax)
      throw invalid(`it would take ${bytes} bytes of memory, at most ${memberSetBytesMax} are taken`);
  }

  /** The integers with these upper 32 bits: a portable bitmap of 32 bits. */
  *#readingHigh(high: number, highs: number): Work<void> {
    const first = this.#at;
    const cookie = this.#word();
    const hasRuns = (cookie & 0xffff) === COOKIE.withRuns;
    if (!hasRuns && cookie !== COOKIE.withoutRuns) throw invalid('unknown cookie');
    const count = hasRuns ? (cookie >>> 16) + 1 : this.#word();
    if (count > CONTAINERS_MAX) throw invalid(`more than ${CONTAINERS_MAX} containers under one high key`);
    this.#requireRoom(highs, count);
    const flagsAt = this.#skip(hasRuns ? (count + 7) >> 3 : 0);
    const keysAt = this.#skip(4 * count);
    const hasOffsets = !hasRuns || count >= OFFSETS_FROM;
    const offsetsAt = this.#skip(hasOffsets ? 4 * count : 0);
    let pauseAt = this.#at + SLICE_BYTES;
    let last = -1;
    for (let i = 0; i < count; i++) {
      if (this.#at >= pauseAt) {
        yield;
        pauseAt = this.#at + SLICE_BYTES;
      }
      const key = this.#view.getUint16(keysAt + 4 * i, true);
      if (key <= last) throw invalid('container keys are not in order');
      last = key;
      if (hasOffsets && this.#view.getUint32(offsetsAt + 4 * i, true) !== this.#at - first)
        throw invalid('a container is not where its offset says');
      const cardinality = this.#view.getUint16(keysAt + 4 * i + 2, true) + 1;
      const isRuns = hasRuns && ((this.#body[flagsAt + (i >> 3)]! >> (i & 7)) & 1) === 1;
      this.#keys.push(high * 65_536 + key);
      this.#readContainer(cardinality, isRuns);
      this.cardinality += cardinality;
    }
    yield;
  }

  #readContainer(cardinality: number, isRuns: boolean): void {
    if (isRuns) this.#readRuns(cardinality);
    else if (cardinality <= ARRAY_COUNT_MAX) this.#readArray(cardinality);
    else this.#readBits(cardinality);
  }

  #readRuns(cardinality: number): void {
    const count = this.#view.getUint16(this.#skip(2), true);
    const start = this.#note(FORM.runs, count, 4 * count);
    let next = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const from = this.#view.getUint16(start + 4 * i, true);
      const more = this.#view.getUint16(start + 4 * i + 2, true);
      if (from < next || from + more > 0xffff) throw invalid('runs are not in order');
      next = from + more + 1;
      sum += more + 1;
    }
    if (sum !== cardinality) throw invalid('runs hold another number of integers than they should');
  }

  #readArray(cardinality: number): void {
    const start = this.#note(FORM.array, cardinality, 2 * cardinality);
    let last = -1;
    for (let at = start; at < this.#at; at += 2) {
      const value = this.#view.getUint16(at, true);
      if (value <= last) throw invalid('integers of an array are not in order');
      last = value;
    }
  }

  #readBits(cardinality: number): void {
    const start = this.#note(FORM.bits, cardinality, BITS_BYTES);
    let count = 0;
    for (let at = start; at < this.#at; at += 4) count += bitsOfWord(this.#view.getInt32(at, true));
    if (count !== cardinality) throw invalid('bits hold another number of integers than they should');
  }

  /** Notes the container whose `bytes` come next; where they begin. */
  #note(form: number, size: number, bytes: number): number {
    const start = this.#skip(bytes);
    this.#forms.push(form);
    this.#starts.push(start);
    this.#sizes.push(size);
    return start;
  }

  #word(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  /** Goes past `bytes` and returns where they begin. @throws FilterError when there are fewer */
  #skip(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#body.length) throw invalid('it is cut short');
    this.#at = start + bytes;
    return start;
  }
}

/** Whether the integer with these halves is in the set. */
export function hasInteger(set: RoaringSet, high: number, low: number): boolean {
  const { containers } = set;
  const key = (high >>> 0) * 65_536 + (low >>> 16);
  const container = firstPlace(containers.length, (i) => containers[i]! >= key);
  return container < containers.length && containers[container] === key && isIn(set, container, low & 0xffff);
}

function isIn({ forms, starts, sizes, body }: RoaringSet, container: number, value: number): boolean {
  const start = starts[container]!;
  const size = sizes[container]!;
  const shortAt = (at: number): number => body[at]! | (body[at + 1]! << 8);
  if (forms[container] === FORM.bits) return ((body[start + (value >> 3)]! >> (value & 7)) & 1) === 1;
  if (forms[container] === FORM.array) {
    const place = firstPlace(size, (i) => shortAt(start + 2 * i) >= value);
    return place < size && shortAt(start + 2 * place) === value;
  }
  // The first run that begins behind the value: only the one before it can hold the value.
  const next = firstPlace(size, (i) => shortAt(start + 4 * i) > value);
  if (next === 0) return false;
  const run = start + 4 * (next - 1);
  return value <= shortAt(run) + shortAt(run + 2);
}
