import {
  type CollectionSchema,
  DataType,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  type Timestamp,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';
import type { FileField } from '../files/file-field.ts';
import type { SegmentFileLabel } from '../files/segment-file-footer.ts';
import type { SegmentFileContent } from '../files/segment-file-writer.ts';
import { storedFields } from '../stored-fields.ts';
import { copiedKeys, int64Column } from './copied-keys.ts';

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

/** Where a chunk is in its segment. */
export interface ChunkPlace {
  readonly segmentId: SegmentId;
  /** The segment's row that is the chunk's first. */
  readonly firstRow: number;
}

/** Deletions of rows that were sealed before: row `rows[i]` of `chunks[i]` by write `ordinals[i]`. */
export class EarlierDeletions {
  readonly chunks: Chunk[] = [];
  readonly places: ChunkPlace[] = [];
  readonly rows: number[] = [];
  readonly ordinals: number[] = [];

  add(chunk: Chunk, place: ChunkPlace, row: number, ordinal: number): void {
    this.chunks.push(chunk);
    this.places.push(place);
    this.rows.push(row);
    this.ordinals.push(ordinal);
  }
}

/** All that a shard has had since the last cut, at one moment: what is written from it does not change when rows do. */
export interface ShardCut {
  readonly schema: CollectionSchema;
  readonly segments: readonly SealedRows[];
  /** That came with files of their own: these are written already, and are to be made known. */
  readonly adopted: readonly SegmentInfo[];
  readonly earlierDeletions: EarlierDeletions;
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
  const pieces = new DeletionPieces(cut);
  const { chunks, places, rows, ordinals } = cut.earlierDeletions;
  for (let i = 0; i < chunks.length; i++) {
    if (pieces.add(chunks[i]!, places[i]!, rows[i]!, ordinals[i]!) && share.isSpent()) await share.nextTurn();
  }
  for (const segment of cut.segments) {
    let firstRow = 0;
    for (const chunk of segment.chunks) {
      const place = { segmentId: segment.id, firstRow };
      for (const { row, ordinal } of chunk.deletions())
        if (ordinal <= cut.lastOrdinal) pieces.add(chunk, place, row, ordinal);
      firstRow += chunk.rows;
      if (share.isSpent()) await share.nextTurn();
    }
  }
  return pieces.content(label);
}

/** Deletions in columns, a few thousand in a piece. */
class DeletionPieces {
  readonly #cut: ShardCut;
  readonly #keys: KeyColumn[] = [];
  readonly #segments: KeyColumn[] = [];
  readonly #rowsInSegment: KeyColumn[] = [];
  readonly #timestamps: BigInt64Array[] = [];
  #open = new EarlierDeletions();

  constructor(cut: ShardCut) {
    this.#cut = cut;
  }

  /** Whether a piece is full with it. */
  add(chunk: Chunk, place: ChunkPlace, row: number, ordinal: number): boolean {
    this.#open.add(chunk, place, row, ordinal);
    if (this.#open.rows.length < PIECE) return false;
    this.#close();
    return true;
  }

  /** `null` when nothing was added. */
  content(label: SegmentFileLabel): SegmentFileContent | null {
    if (this.#open.rows.length > 0) this.#close();
    if (this.#timestamps.length === 0) return null;
    return {
      kind: 'deletes',
      label,
      columns: [
        { field: this.#cut.schema.primaryKey, pieces: this.#keys },
        { field: SEGMENT_FIELD, pieces: this.#segments },
        { field: ROW_FIELD, pieces: this.#rowsInSegment },
      ],
      timestamps: this.#timestamps,
    };
  }

  #close(): void {
    const { chunks, places, rows, ordinals } = this.#open;
    this.#open = new EarlierDeletions();
    this.#keys.push(copiedKeys(chunks, rows, this.#cut.schema.primaryKey.dataType));
    this.#segments.push(int64Column(places.map(({ segmentId }) => segmentId)));
    this.#rowsInSegment.push(int64Column(places.map(({ firstRow }, i) => BigInt(firstRow + rows[i]!))));
    this.#timestamps.push(BigInt64Array.from(ordinals, (ordinal) => this.#cut.timestampOf(ordinal)));
  }
}
