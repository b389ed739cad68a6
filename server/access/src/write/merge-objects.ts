import type { JsonColumn } from '@elanus/model';
import { keepMembers, memberKeys } from '../read/json-members.ts';
import type { Work } from '../rows/sliced-work.ts';

const SLICE_BYTES = 128 * 1024;
const [OPEN, COMMA, CLOSE] = [Buffer.from('{'), Buffer.from(','), Buffer.from('}')];

/** The objects of `kept` with the members of those of `sent` in the place of their own with the same keys, row by row. */
export function* mergeObjects(kept: JsonColumn, sent: JsonColumn): Work<JsonColumn> {
  const parts: Buffer[] = [];
  const offsets = new Uint32Array(kept.length + 1);
  let done = 0;
  for (let row = 0; row < kept.length; row += 1) {
    const merged = mergedMembers(rowOf(kept, row), rowOf(sent, row));
    const members = [OPEN, ...merged, CLOSE];
    parts.push(...members);
    const length = members.reduce((sum, part) => sum + part.length, 0);
    offsets[row + 1] = offsets[row]! + length;
    done += length;
    if (done > SLICE_BYTES) {
      done = 0;
      yield;
    }
  }
  return { ...kept, validity: null, offsets, bytes: Buffer.concat(parts) };
}

function mergedMembers(kept: Buffer, sent: Buffer): Buffer[] {
  const fresh = new Set(memberKeys(sent));
  const old = keepMembers(kept, new Set(memberKeys(kept).filter((key) => !fresh.has(key))));
  const changed = keepMembers(sent, fresh);
  return old.length > 0 && changed.length > 0 ? [old, COMMA, changed] : [old, changed];
}

function rowOf({ bytes, offsets }: JsonColumn, row: number): Buffer {
  const start = offsets[row]!;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, offsets[row + 1]! - start);
}
