import { DataType, type Int64Column, type KeyColumn } from '@elanus/model';
import { type RowOrder, rowOrderOf, sortRows } from '../key-order.ts';
import type { Turns } from '../read.ts';
import { takeTurns } from '../read.ts';

/** Rows looked at in a stretch. */
const STRETCH = 16_384;
const DIGIT_BITS = 16;
const DIGITS = 2 ** DIGIT_BITS;

/**
 * The numbers of the rows in the order of their keys, equal keys as they come. `null` when they lie in this order, as
 * keys do that the server has made.
 */
export async function keyOrderOf(pieces: readonly KeyColumn[], turns: Turns): Promise<Uint32Array | null> {
  const order = rowOrderOf(pieces);
  if (await isAscending(pieces, order, turns)) return null;
  if (pieces[0]!.dataType === DataType.Int64)
    return await sortNumbers(pieces as readonly Int64Column[], turns);
  return await sortTexts(pieces, order, turns);
}

async function isAscending(pieces: readonly KeyColumn[], order: RowOrder, turns: Turns): Promise<boolean> {
  let [before, rowBefore] = [-1, -1];
  for (const [piece, { length }] of pieces.entries()) {
    for (let row = 0; row < length; row++) {
      if (row % STRETCH === 0) await takeTurns(turns);
      if (before >= 0 && order(before, rowBefore, piece, row) > 0) return false;
      before = piece;
      rowBefore = row;
    }
  }
  return true;
}

/** By digits, the lowest first. */
async function sortNumbers(pieces: readonly Int64Column[], turns: Turns): Promise<Uint32Array> {
  const rows = pieces.reduce((sum, { length }) => sum + length, 0);
  const low = new Uint32Array(rows);
  const high = new Uint32Array(rows);
  let at = 0;
  for (const { values, length } of pieces) {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * length);
    for (let row = 0; row < length; row++, at++) {
      if (row % STRETCH === 0) await takeTurns(turns);
      low[at] = words[2 * row]!;
      // Negative numbers come first.
      high[at] = words[2 * row + 1]! ^ 0x8000_0000;
    }
  }
  let from = Uint32Array.from(low.keys());
  let to = new Uint32Array(rows);
  for (const words of [low, high]) {
    for (const shift of [0, DIGIT_BITS]) {
      const starts = await digitStarts(words, shift, turns);
      if (starts === null) continue;
      for (let i = 0; i < rows; i++) {
        if (i % STRETCH === 0) await takeTurns(turns);
        const row = from[i]!;
        to[starts[(words[row]! >>> shift) & (DIGITS - 1)]!++] = row;
      }
      [from, to] = [to, from];
    }
  }
  return from;
}

/** Where the rows of each digit begin; `null` when all have the same. */
async function digitStarts(words: Uint32Array, shift: number, turns: Turns): Promise<Uint32Array | null> {
  const counts = new Uint32Array(DIGITS);
  for (let row = 0; row < words.length; row++) {
    if (row % STRETCH === 0) await takeTurns(turns);
    counts[(words[row]! >>> shift) & (DIGITS - 1)]! += 1;
  }
  let sum = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = counts[digit]!;
    if (count === words.length) return null;
    counts[digit] = sum;
    sum += count;
  }
  return counts;
}

async function sortTexts(pieces: readonly KeyColumn[], order: RowOrder, turns: Turns): Promise<Uint32Array> {
  const firsts: number[] = [];
  let total = 0;
  for (const { length } of pieces) {
    firsts.push(total);
    total += length;
  }
  const viewOf = new Uint32Array(total);
  const rows = new Uint32Array(total);
  for (const [piece, { length }] of pieces.entries()) {
    viewOf.fill(piece, firsts[piece], firsts[piece]! + length);
    for (let row = 0; row < length; row++) rows[firsts[piece]! + row] = row;
  }
  const sorted = await sortRows(turns, { views: [], viewOf, rows }, order);
  return sorted.rows.map((row, i) => firsts[sorted.viewOf[i]!]! + row);
}
