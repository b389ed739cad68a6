import type { Work } from './work.ts';

/** Numbers that are sorted, or merged, between two yields. */
const SLICE = 16_384;

/** The numbers in ascending order, in slices: runs are sorted, then merged two by two. `values` is used up. */
export function* sorting(values: Uint32Array): Work<Uint32Array> {
  const { length } = values;
  for (let start = 0; start < length; start += SLICE) {
    if (start > 0) yield;
    values.subarray(start, start + SLICE).sort();
  }
  if (length <= SLICE) return values;
  let from = values;
  let to = new Uint32Array(length);
  for (let run = SLICE; run < length; run *= 2) {
    for (let start = 0; start < length; start += 2 * run) yield* merging(from, to, start, run);
    [from, to] = [to, from as Uint32Array<ArrayBuffer>];
  }
  return from;
}

/** Merges the runs of `length` numbers at `start` and behind. */
function* merging(from: Uint32Array, to: Uint32Array, start: number, length: number): Work<void> {
  const middle = Math.min(start + length, from.length);
  const end = Math.min(start + 2 * length, from.length);
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    if (at % SLICE === SLICE - 1) yield;
    const isLeft = right === end || (left < middle && from[left]! <= from[right]!);
    to[at] = from[isLeft ? left++ : right++]!;
  }
}
