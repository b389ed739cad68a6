/** When segments are put together, and how large they get. */
export interface CompactionLimits {
  /** Whether it may be asked for. */
  readonly isEnabled: boolean;
  /** Whether it happens without being asked for, too. */
  readonly isAutomatic: boolean;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  /** Bytes of a segment that others are put together to. */
  readonly bytesMax: number;
  /** Segments with a smaller share of `bytesMax` are put together with others. */
  readonly smallShare: number;
  /** A segment with this share of deleted rows is written anew by itself. */
  readonly deletedShareMin: number;
  /** So many small segments of a partition of a shard are put together without being asked to. */
  readonly segmentsMin: number;
  /** How long the files that were put together are kept. */
  readonly graceMs: number;
}

const MIB = 1024 * 1024;
/** What is put together passes through memory. */
export const COMPACTED_BYTES_MAX = 512 * MIB;

/** What Milvus takes when nothing is configured; the number of segments is our own, since indexes span segments here. */
export const COMPACTION_LIMITS_DEFAULT: CompactionLimits = {
  isEnabled: true,
  isAutomatic: true,
  intervalMs: 60_000,
  bytesMax: COMPACTED_BYTES_MAX,
  smallShare: 0.5,
  deletedShareMin: 0.2,
  segmentsMin: 8,
  graceMs: 10_800_000,
};

/** A segment that can be put together with others of its partition. */
export interface SegmentFacts {
  /** Of its file. */
  readonly bytes: number;
  readonly rows: number;
  /** Rows that would be left out: deleted so long ago that nobody may see them. */
  readonly deletedRows: number;
}

/** Which of the segments of one partition of a shard to put together, in groups, each of which becomes one. */
export function planCompactions<Segment extends SegmentFacts>(
  segments: readonly Segment[],
  limits: CompactionLimits,
  reason: 'asked' | 'automatic',
): readonly (readonly Segment[])[] {
  const isSmall = (segment: Segment) => bytesLeft(segment) < limits.smallShare * limits.bytesMax;
  const isWorn = ({ rows, deletedRows }: Segment) =>
    reason === 'asked' ? deletedRows > 0 : deletedRows >= limits.deletedShareMin * rows;
  const membersMin = reason === 'asked' ? 2 : limits.segmentsMin;
  const groups: (readonly Segment[])[] = segments
    .filter((segment) => !isSmall(segment) && isWorn(segment))
    .map((segment) => [segment]);
  for (const group of packed(segments.filter(isSmall), limits.bytesMax)) {
    if (group.length >= membersMin) groups.push(group);
    else if (group.some(isWorn)) groups.push(group.filter(isWorn));
  }
  return groups;
}

/** Neighbours, as many together as fit. */
function packed<Segment extends SegmentFacts>(
  segments: readonly Segment[],
  bytesMax: number,
): readonly (readonly Segment[])[] {
  const groups: Segment[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    bytes += bytesLeft(segment);
    if (bytes > bytesMax) {
      groups.push([]);
      bytes = bytesLeft(segment);
    }
    groups.at(-1)!.push(segment);
  }
  return groups;
}

function bytesLeft({ bytes, rows, deletedRows }: SegmentFacts): number {
  return rows === 0 ? 0 : (bytes * (rows - deletedRows)) / rows;
}
