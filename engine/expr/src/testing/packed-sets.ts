import { hashBytes, hashHalves } from '../value-hashes.ts';

/** How a container of a bitmap is written; `array` and `bits` only where the format has them for so many integers. */
export type ContainerForm = 'runs' | 'plain';

const HEADER_BYTES = 32;
const ARRAY_COUNT_MAX = 4096;

/** The integers as clients pack them: MRB1 around portable Roaring. `formOf` chooses the form of each container. */
export function packedRoaring(
  integers: readonly bigint[],
  formOf: (container: number) => ContainerForm = () => 'plain',
): Uint8Array {
  const distinct = [...new Set(integers.map((integer) => BigInt.asUintN(64, integer)))];
  const highs = groupBy(distinct, (integer) => Number(integer >> 32n));
  const parts = [uint64(BigInt(highs.length))];
  for (const [high, of] of highs) {
    const containers = groupBy(of, (integer) => Number((integer >> 16n) & 0xffffn));
    parts.push(uint32(high), bitmap(containers, formOf));
  }
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('MRB1');
  header.writeUInt16LE(1, 4);
  header.writeUInt16LE(1, 6);
  header.writeBigUInt64LE(BigInt(distinct.length), 8);
  header.writeBigUInt64LE(BigInt(body.length), 16);
  return Buffer.concat([header, body]);
}

/** Ascending groups of ascending members. */
function groupBy(
  integers: readonly bigint[],
  keyOf: (integer: bigint) => number,
): readonly (readonly [number, readonly bigint[]])[] {
  const groups = new Map<number, bigint[]>();
  for (const integer of [...integers].sort((a, b) => (a < b ? -1 : 1))) {
    const group = groups.get(keyOf(integer));
    if (group === undefined) groups.set(keyOf(integer), [integer]);
    else group.push(integer);
  }
  return [...groups];
}

function bitmap(
  containers: readonly (readonly [number, readonly bigint[]])[],
  formOf: (container: number) => ContainerForm,
): Buffer {
  const forms = containers.map((_, i) => formOf(i));
  const hasRuns = forms.includes('runs');
  const flags = Buffer.alloc((containers.length + 7) >> 3);
  for (const [i, form] of forms.entries()) if (form === 'runs') flags[i >> 3]! |= 1 << (i & 7);
  const head = hasRuns
    ? [uint32(12347 + 65_536 * (containers.length - 1)), flags]
    : [uint32(12346), uint32(containers.length)];
  const keys = containers.flatMap(([key, members]) => [uint16(key), uint16(members.length - 1)]);
  const bodies = containers.map(([, members], i) =>
    container(
      members.map((m) => Number(m & 0xffffn)),
      forms[i]!,
    ),
  );
  const hasOffsets = !hasRuns || containers.length >= 4;
  const start = Buffer.concat([...head, ...keys]);
  let at = start.length + (hasOffsets ? 4 * bodies.length : 0);
  const offsets = bodies.map((body) => {
    const offset = uint32(at);
    at += body.length;
    return offset;
  });
  return Buffer.concat([start, ...(hasOffsets ? offsets : []), ...bodies]);
}

function container(values: readonly number[], form: ContainerForm): Buffer {
  if (form === 'runs') {
    const runs: [number, number][] = [];
    for (const value of values) {
      const last = runs.at(-1);
      if (last !== undefined && last[0] + last[1] + 1 === value) last[1] += 1;
      else runs.push([value, 0]);
    }
    return Buffer.concat([uint16(runs.length), ...runs.flat().map(uint16)]);
  }
  if (values.length <= ARRAY_COUNT_MAX) return Buffer.concat(values.map(uint16));
  const bits = Buffer.alloc(8192);
  for (const value of values) bits[value >> 3]! |= 1 << (value & 7);
  return bits;
}

const SALTS = [
  ...[0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d],
  ...[0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31],
];

/** The values as clients pack them: MBF1 around a split-block Bloom filter of so many blocks. */
export function packedBloom(values: readonly (bigint | string)[], blocks: number): Uint8Array {
  const blob = Buffer.alloc(HEADER_BYTES + 32 * blocks);
  blob.write('MBF1');
  blob.writeUInt16LE(1, 4);
  blob.writeUInt16LE(1, 6);
  blob.writeBigUInt64LE(BigInt(values.length), 8);
  blob.writeDoubleLE(0.005, 16);
  blob.writeUInt32LE(blocks, 24);
  for (const value of values) {
    const bytes = Buffer.from(typeof value === 'string' ? value : uint64(BigInt.asUintN(64, value)));
    hashBytes(bytes, 0, bytes.length);
    const [low, high] = hashHalves as ArrayLike<number> as readonly [number, number];
    blob[28]! |= typeof value === 'string' ? 2 : 1;
    const block = Number((BigInt(high >>> 0) * BigInt(blocks)) >> 32n);
    for (const [word, salt] of SALTS.entries()) {
      const at = HEADER_BYTES + 32 * block + 4 * word;
      blob.writeInt32LE(blob.readInt32LE(at) | (1 << (Math.imul(low, salt) >>> 27)), at);
    }
  }
  return blob;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
