import {
  type CollectionSchema,
  DataType,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { type Chunk, storedFields } from '../chunk.ts';
import type { FileField } from '../files/file-field.ts';
import type { SegmentFileLabel } from '../files/segment-file-footer.ts';
import type { SegmentFileContent } from '../files/segment-file-writer.ts';

/** Rows that will be a segment: whole chunks, in their order, in which nothing but deletions changes any more. */
export interface SealedRows {
  readonly id: SegmentId;
  readonly partitionId: PartitionId;
  /** Deleted ones included. */
  readonly rows: number;
  readonly firstTimestamp: Timestamp;
  readonly lastTimestamp: Timestamp;
  readonly chunks: readonly Chunk[];
}

interface EarlierDeletion {
  readonly chunk: Chunk;
  readonly segmentId: SegmentId;
  /** Of the chunk in its segment. */
  readonly firstRow: number;
  /** Of the chunk. */
  readonly row: number;
  readonly ordinal: number;
}

/** All that a shard has had since the last cut, at one moment: what is written from it does not change when rows do. */
export interface ShardCut {
  readonly schema: CollectionSchema;
  readonly segments: readonly SealedRows[];
  /** Of rows that were sealed before. */
  readonly earlierDeletions: readonly EarlierDeletion[];
  /** Later writes are no business of this cut. */
  readonly lastOrdinal: number;
  readonly timestampOf: (ordinal: number) => Timestamp;
}

/** Where a deletion file says which row it is about: 64-bit ids as they are. */
export const SEGMENT_FIELD: FileField = ownField(2, '$segment');
export const ROW_FIELD: FileField = ownField(3, '$row');

function ownField(id: number, name: string): FileField {
  const dataType = DataType.Int64;
  const none = { elementType: null, dim: null, nullable: false, isPrimaryKey: false };
  return { id: id as FieldId, name, dataType, ...none };
}

/** The file of a segment. */
export function segmentContent(
  { schema, timestampOf }: ShardCut,
  { chunks }: SealedRows,
  label: SegmentFileLabel,
): SegmentFileContent {
  return {
    kind: 'rows',
    label,
    columns: storedFields(schema).map((field) => ({
      field,
      pieces: chunks.map((chunk) => chunk.column(field.id)),
    })),
    timestamps: chunks.map((chunk) => chunk.timestamps(timestampOf)),
  };
}

/** Deletions gathered between two looks at the clock. */
const PIECE = 4096;

/** The file of all deletions since the last cut; `null` when there are none. */
export async function deletionContent(
  cut: ShardCut,
  label: SegmentFileLabel,
  share: LoopShare,
): Promise<SegmentFileContent | null> {
  const rows = new DeletionRows(cut);
  for (const { chunk, segmentId, firstRow, row, ordinal } of cut.earlierDeletions) {
    rows.add(chunk, row, { segmentId, rowInSegment: firstRow + row, ordinal });
    if (rows.count % PIECE === 0 && share.isSpent()) await share.nextTurn();
  }
  for (const { id, chunks } of cut.segments) {
    let firstRow = 0;
    for (const chunk of chunks) {
      for (const { row, ordinal } of chunk.deletions())
        if (ordinal <= cut.lastOrdinal)
          rows.add(chunk, row, { segmentId: id, rowInSegment: firstRow + row, ordinal });
      firstRow += chunk.rows;
      if (share.isSpent()) await share.nextTurn();
    }
  }
  return rows.count === 0 ? null : rows.content(label);
}

class DeletionRows {
  readonly #cut: ShardCut;
  readonly #chunks: Chunk[] = [];
  readonly #rows: number[] = [];
  readonly #segments: bigint[] = [];
  readonly #rowsInSegment: bigint[] = [];
  readonly #timestamps: bigint[] = [];

  constructor(cut: ShardCut) {
    this.#cut = cut;
  }

  get count(): number {
    return this.#rows.length;
  }

  add(
    chunk: Chunk,
    row: number,
    where: { readonly segmentId: SegmentId; readonly rowInSegment: number; readonly ordinal: number },
  ): void {
    this.#chunks.push(chunk);
    this.#rows.push(row);
    this.#segments.push(where.segmentId);
    this.#rowsInSegment.push(BigInt(where.rowInSegment));
    this.#timestamps.push(this.#cut.timestampOf(where.ordinal));
  }

  content(label: SegmentFileLabel): SegmentFileContent {
    return {
      kind: 'deletes',
      label,
      columns: [
        { field: this.#cut.schema.primaryKey, pieces: [this.#keys()] },
        { field: SEGMENT_FIELD, pieces: [numbers(this.#segments)] },
        { field: ROW_FIELD, pieces: [numbers(this.#rowsInSegment)] },
      ],
      timestamps: [BigInt64Array.from(this.#timestamps)],
    };
  }

  #keys(): KeyColumn {
    const length = this.count;
    const columns = this.#chunks.map((chunk) => chunk.keys);
    if (this.#cut.schema.primaryKey.dataType === DataType.Int64) {
      const values = columns.map((keys, i) => (keys as { values: BigInt64Array }).values[this.#rows[i]!]!);
      return numbers(values);
    }
    const offsets = new Uint32Array(length + 1);
    const texts = columns.map((keys, i) => {
      const { offsets: from, bytes } = keys as { offsets: Uint32Array; bytes: Uint8Array };
      const text = bytes.subarray(from[this.#rows[i]!]!, from[this.#rows[i]! + 1]!);
      offsets[i + 1] = offsets[i]! + text.length;
      return text;
    });
    const bytes = new Uint8Array(offsets[length]!);
    for (const [i, text] of texts.entries()) bytes.set(text, offsets[i]!);
    return { dataType: DataType.VarChar, length, validity: null, offsets, bytes };
  }
}

function numbers(values: readonly bigint[]): KeyColumn {
  return {
    dataType: DataType.Int64,
    length: values.length,
    validity: null,
    values: BigInt64Array.from(values),
  };
}
