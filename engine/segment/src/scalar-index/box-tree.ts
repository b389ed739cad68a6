import { type Box, boxAround } from '@elanus/expr';
import type { VarCharColumn } from '@elanus/model';
import { sharedUint32 } from '../shared-memory.ts';
import type { IndexedBlock } from './build-scalar-index.ts';
import { BOX_FANOUT, type BoxPart } from './scalar-index.ts';

/** A tree over the boxes around the shapes of a Geometry column; rows without a shape, or with an empty one, are not in it. */
export function buildBoxes(blocks: Iterable<IndexedBlock>): BoxPart {
  const found: { box: Box; row: number }[] = [];
  for (const { column, rows, firstRow } of blocks) {
    // Shapes lie in a column as their text does.
    const { bytes, offsets, validity } = column as unknown as VarCharColumn;
    const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let row = 0; row < rows; row++) {
      if (validity !== null && validity[row] === 0) continue;
      const box = boxAround(texts.toString('utf8', offsets[row]!, offsets[row + 1]!));
      if (box !== undefined) found.push({ box, row: firstRow + row });
    }
  }
  return packed(inTiles(found));
}

/** Sorted so that boxes near each other follow each other: columns of the map, each from south to north. */
function inTiles(found: { box: Box; row: number }[]): readonly { box: Box; row: number }[] {
  const middle = (low: number, high: number): number => low / 2 + high / 2;
  const tiles = Math.ceil(found.length / BOX_FANOUT);
  const columnLength = Math.ceil(Math.sqrt(tiles)) * BOX_FANOUT;
  found.sort((a, b) => middle(a.box.west, a.box.east) - middle(b.box.west, b.box.east));
  const tiled = [];
  for (let start = 0; start < found.length; start += columnLength) {
    const column = found.slice(start, start + columnLength);
    column.sort((a, b) => middle(a.box.south, a.box.north) - middle(b.box.south, b.box.north));
    for (const one of column) tiled.push(one);
  }
  return tiled;
}

function packed(leaves: readonly { box: Box; row: number }[]): BoxPart {
  const levels = [leaves.length];
  while (levels.at(-1)! > 1) levels.push(Math.ceil(levels.at(-1)! / BOX_FANOUT));
  const count = levels.reduce((sum, length) => sum + length, 0);
  const boxes = new Float64Array(new SharedArrayBuffer(32 * count));
  const rows = sharedUint32(leaves.length);
  for (const [i, { box, row }] of leaves.entries()) {
    boxes.set([box.west, box.south, box.east, box.north], 4 * i);
    rows[i] = row;
  }
  let first = 0;
  for (const [level, length] of levels.slice(0, -1).entries()) {
    joinLevel(boxes, { first, length }, levels[level + 1]!);
    first += length;
  }
  return { kind: 'boxes', boxes, levels: Uint32Array.from(levels), rows };
}

/** Writes the boxes of the next level behind those of this one. */
function joinLevel(
  boxes: Float64Array,
  { first, length }: { readonly first: number; readonly length: number },
  lengthAbove: number,
): void {
  for (let above = 0; above < lengthAbove; above++) {
    const target = 4 * (first + length + above);
    boxes.set([Infinity, Infinity, -Infinity, -Infinity], target);
    const end = Math.min(length, (above + 1) * BOX_FANOUT);
    for (let i = above * BOX_FANOUT; i < end; i++) {
      const at = 4 * (first + i);
      boxes[target] = Math.min(boxes[target]!, boxes[at]!);
      boxes[target + 1] = Math.min(boxes[target + 1]!, boxes[at + 1]!);
      boxes[target + 2] = Math.max(boxes[target + 2]!, boxes[at + 2]!);
      boxes[target + 3] = Math.max(boxes[target + 3]!, boxes[at + 3]!);
    }
  }
}

/** The box around everything; `undefined` when nothing is in the tree. */
export function rootBox({ boxes, levels }: BoxPart): Box | undefined {
  if (levels[0] === 0) return undefined;
  const [west, south, east, north] = boxes.subarray(boxes.length - 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  return { west, south, east, north };
}

/** Calls `visit` for each row whose box meets `wanted`, borders included. */
export function forEachRowIn(
  { boxes, levels, rows }: BoxPart,
  wanted: Box,
  visit: (row: number) => void,
): void {
  if (levels[0] === 0) return;
  const firsts = [0];
  for (const length of levels) firsts.push(firsts.at(-1)! + length);
  const descend = (level: number, number: number): void => {
    const at = 4 * (firsts[level]! + number);
    if (boxes[at]! > wanted.east || boxes[at + 2]! < wanted.west) return;
    if (boxes[at + 1]! > wanted.north || boxes[at + 3]! < wanted.south) return;
    if (level === 0) {
      visit(rows[number]!);
      return;
    }
    const end = Math.min(levels[level - 1]!, (number + 1) * BOX_FANOUT);
    for (let child = number * BOX_FANOUT; child < end; child++) descend(level - 1, child);
  };
  descend(levels.length - 1, 0);
}
