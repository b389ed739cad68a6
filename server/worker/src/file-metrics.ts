import type { Metrics } from '@elanus/runtime';
import type { ServedCollection } from './served-collection.ts';
import type { EachCollection, Labelled } from './storage-metrics.ts';

/** Segments of a collection that have lines of their own: its largest. The others are one line, `others`. */
const SEGMENTS_MAX = 20;
const OTHERS = 'others';

/** Rows and bytes of each collection's segments and indexes. */
export function registerFileMetrics(metrics: Metrics, own: readonly string[], each: EachCollection): void {
  const segments = (read: (size: SegmentSize) => number) =>
    each(({ shards }) => segmentSizes(shards).map((size) => [{ segment: size.segment }, read(size)]));
  const about = `of the ${SEGMENTS_MAX} largest segments of a collection, and of all others together`;
  metrics.gauges(
    'elanus_segment_rows',
    `Live rows ${about}`,
    [...own, 'segment'],
    segments(({ rows }) => rows),
  );
  metrics.gauges(
    'elanus_segment_disk_bytes',
    `Bytes of the files ${about}`,
    [...own, 'segment'],
    segments(({ diskBytes }) => diskBytes),
  );
  metrics.gauges(
    'elanus_segment_memory_bytes',
    `Memory of rows that are in no file, and of what was made of others, ${about}`,
    [...own, 'segment'],
    segments(({ memoryBytes }) => memoryBytes),
  );
  metrics.gauges(
    'elanus_segment_mapped_bytes',
    `Of elanus_collection_mapped_bytes those ${about}`,
    [...own, 'segment'],
    segments(({ mappedBytes }) => mappedBytes),
  );
  metrics.gauges(
    'elanus_field_index_rows',
    'Rows that the vector index of a field covers',
    [...own, 'field'],
    each(indexedRowsOf),
  );
}

function* indexedRowsOf({ shards, info }: ServedCollection): Generator<Labelled> {
  for (const { id, name } of info.schema.fields) {
    const pieces = shards.flatMap((shard) => shard.vectorIndexes.of(id)).flatMap((one) => one.pieces);
    if (pieces.length > 0) yield [{ field: name }, pieces.reduce((sum, { rows }) => sum + rows, 0)];
  }
}

interface SegmentSize {
  readonly segment: string;
  readonly rows: number;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly mappedBytes: number;
}

function segmentSizes(shards: ServedCollection['shards']): readonly SegmentSize[] {
  const all = shards.flatMap((shard) =>
    shard.segments().map(
      ({ id, liveRows, chunks, file }): SegmentSize => ({
        segment: String(id ?? shard.segmentId),
        rows: liveRows,
        diskBytes: file?.info.file.bytes ?? 0,
        memoryBytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
        mappedBytes: file?.mappedBytes ?? 0,
      }),
    ),
  );
  const weight = ({ diskBytes, memoryBytes }: SegmentSize) => diskBytes + memoryBytes;
  const largest = all.sort((left, right) => weight(right) - weight(left));
  // The rows of a shard in memory lie under one id, in several partitions.
  const shown = new Map<string, SegmentSize>();
  for (const [at, size] of largest.entries()) {
    const segment = at < SEGMENTS_MAX ? size.segment : OTHERS;
    const known = shown.get(segment);
    shown.set(segment, {
      segment,
      rows: size.rows + (known?.rows ?? 0),
      diskBytes: size.diskBytes + (known?.diskBytes ?? 0),
      memoryBytes: size.memoryBytes + (known?.memoryBytes ?? 0),
      mappedBytes: size.mappedBytes + (known?.mappedBytes ?? 0),
    });
  }
  return [...shown.values()];
}
