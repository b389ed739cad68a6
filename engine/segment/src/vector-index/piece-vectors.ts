import type { IndexBuild, SparseIndexBuild, VectorRows } from '@elanus/kernel';
import {
  DataType,
  type DenseVectorColumn,
  type DenseVectorType,
  denseVectorBytes,
  type FieldSchema,
  type SparseVectorColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { KeptRows } from './indexed-piece.ts';
import { listsOf } from './piece-elements.ts';

/** Vectors that should get one index, or have one, and where they are. */
export interface PieceVectors {
  readonly runs: readonly KeptRows[];
  readonly field: FieldSchema;
  readonly rows: number;
}

/**
 * The vectors of a piece, those of lists one after the other, as the kernel takes them. They are borrowed until the build ends. The piece's chunks are open
 * (`openChunks`), here and below.
 */
export function vectorsOf(planned: PieceVectors): Pick<IndexBuild, 'dataType' | 'dim' | 'blocks'> {
  const { runs, field } = planned;
  const dim = field.dim!;
  if (field.dataType === DataType.ArrayOfVector) {
    const dataType = field.elementType as DenseVectorType;
    const blocks = runs.map(({ chunk, from, to }) => {
      const { offsets, elements } = listsOf(chunk.column(field.id));
      return rowsOfColumn(elements, offsets[from]!, offsets[to]!);
    });
    return { dataType, dim, blocks };
  }
  const dataType = field.dataType as DenseVectorType;
  const columns = columnsOf(planned) as readonly DenseVectorColumn[];
  const blocks = runs.map(({ from, to }, at) => rowsOfColumn(columns[at]!, from, to));
  return { dataType, dim, blocks };
}

function rowsOfColumn({ dataType, dim, bytes }: DenseVectorColumn, from: number, to: number): VectorRows {
  const size = denseVectorBytes(dataType, dim);
  return { bytes: bytes.subarray(from * size, to * size), rows: to - from };
}

/** The same vectors in as few runs as they lie in memory. */
export function joinedBlocks(blocks: readonly VectorRows[]): readonly VectorRows[] {
  const joined: VectorRows[] = [];
  for (const { bytes, rows } of blocks) {
    const last = joined.at(-1);
    const isNext =
      last?.bytes.buffer === bytes.buffer && last.bytes.byteOffset + last.bytes.length === bytes.byteOffset;
    if (last === undefined || !isNext) {
      joined.push({ bytes, rows });
      continue;
    }
    const whole = new Uint8Array(bytes.buffer, last.bytes.byteOffset, last.bytes.length + bytes.length);
    joined[joined.length - 1] = { bytes: whole, rows: last.rows + rows };
  }
  return joined;
}

/** The same of a piece of sparse vectors. */
export function sparseVectorsOf(planned: PieceVectors): Pick<SparseIndexBuild, 'dataType' | 'blocks'> {
  const columns = columnsOf(planned) as readonly SparseVectorColumn[];
  const blocks = planned.runs.map(({ from, to }, at) => {
    const { bytes, offsets } = columns[at]!;
    return { bytes, offsets: offsets.subarray(from, to + 1), rows: to - from };
  });
  return { dataType: DataType.SparseFloatVector, blocks };
}

function columnsOf({ runs, field }: PieceVectors): readonly (DenseVectorColumn | SparseVectorColumn)[] {
  return runs.map(({ chunk }) => chunk.column(field.id) as DenseVectorColumn | SparseVectorColumn);
}

/** Rows whose nulls are looked for between two looks at the clock. */
const PIECE_ROWS = 65_536;

/** Bits of the rows of a piece that have a vector; `null`: all have. */
export async function presentRows(planned: PieceVectors, share: LoopShare): Promise<Uint8Array | null> {
  const { runs, rows } = planned;
  const columns = columnsOf(planned);
  if (columns.every(({ validity }) => validity === null)) return null;
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (const [number, { from, to, firstRow }] of runs.entries()) {
    const { validity } = columns[number]!;
    for (let start = from; start < to; start += PIECE_ROWS) {
      if (share.isSpent()) await share.nextTurn();
      for (let row = start, at = firstRow + start - from; row < Math.min(to, start + PIECE_ROWS); row++, at++)
        if (validity === null || validity[row] === 1) bits[at >> 3]! |= 1 << (at & 7);
    }
  }
  return bits;
}
