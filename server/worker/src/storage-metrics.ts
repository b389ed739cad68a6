import type { FieldId } from '@elanus/model';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Metrics } from '@elanus/runtime';
import { registerFileMetrics } from './file-metrics.ts';
import type { ServedCollection } from './served-collection.ts';
import type { ServedCollections } from './served-collections.ts';

export type Labelled = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Reads the lines of every collection, with its names as labels. */
export type EachCollection = (
  read: (collection: ServedCollection) => Iterable<Labelled>,
) => () => Iterable<Labelled>;

/** Rows and bytes of each collection, its fields and indexes, on disk and in memory. */
export function registerStorageMetrics(
  metrics: Metrics,
  { collections, catalog }: { readonly collections: ServedCollections; readonly catalog: SegmentCatalog },
): void {
  const each: EachCollection = (read) =>
    function* (): Generator<Labelled> {
      for (const collection of collections.all()) {
        const { databaseName: database, name } = collection.info;
        for (const [labels, value] of read(collection))
          yield [{ database, collection: name, ...labels }, value];
      }
    };
  const own = ['database', 'collection'];
  registerFileMetrics(metrics, own, each);
  metrics.gauges(
    'elanus_field_index_disk_bytes',
    'Bytes of the files of the indexes over a field',
    [...own, 'field'],
    each((collection) => indexFilesOf(catalog, collection)),
  );
  metrics.gauges('elanus_collection_rows', 'Live rows', own, each(rowsOf));
  metrics.gauges(
    'elanus_collection_lost_stretches',
    'Stretches of the log that may have had writes and are damaged; the rest is served',
    own,
    each(({ losses }) => [[{}, losses.length]]),
  );
  metrics.gauges(
    'elanus_collection_disk_bytes',
    'Bytes of the files that count, of rows, deletions and indexes',
    [...own, 'kind'],
    each(({ info }) => filesOf(catalog, info.id)),
  );
  metrics.gauges(
    'elanus_collection_memory_bytes',
    'Memory of rows that are in no file, bitmaps and key indexes; of vector indexes with their mapped files',
    [...own, 'kind'],
    each(memoryOf),
  );
  metrics.gauges(
    'elanus_collection_segments',
    'Segments by state; sealed ones that are broken can’t be read',
    [...own, 'state'],
    each(segmentsOf),
  );
  metrics.gauges(
    'elanus_field_disk_bytes',
    'Bytes of a field’s columns in the files that are open',
    [...own, 'field'],
    each(fieldsOf),
  );
  metrics.gauges(
    'elanus_field_memory_bytes',
    'Memory of a field’s columns of rows that are in no file',
    [...own, 'field'],
    each(memoryOfFields),
  );
  metrics.gauges(
    'elanus_field_index_bytes',
    'Memory of the vector index of a field, its mapped files included',
    [...own, 'field'],
    each(indexesOf),
  );
}

function* rowsOf({ shards }: ServedCollection): Generator<Labelled> {
  yield [{}, sum(shards.flatMap((shard) => [...shard.liveRows().values()]))];
}

function* filesOf(catalog: SegmentCatalog, id: ServedCollection['info']['id']): Generator<Labelled> {
  const { segments, deleteFiles, indexFiles } = orNothing(catalog, id);
  const bytesOf = (files: readonly { readonly file: { readonly bytes: number } }[]) =>
    sum(files.map(({ file }) => file.bytes));
  yield [{ kind: 'rows' }, bytesOf(segments)];
  yield [{ kind: 'deletions' }, bytesOf(deleteFiles)];
  yield [{ kind: 'indexes' }, bytesOf(indexFiles)];
}

function* indexFilesOf(catalog: SegmentCatalog, { info }: ServedCollection): Generator<Labelled> {
  const { indexFiles } = orNothing(catalog, info.id);
  const bytes = new Map<FieldId, number>();
  for (const { fieldId, file } of indexFiles) bytes.set(fieldId, (bytes.get(fieldId) ?? 0) + file.bytes);
  for (const { id, name } of info.schema.fields)
    if (bytes.has(id)) yield [{ field: name }, bytes.get(id) ?? 0];
}

/** Of a collection whose records are damaged nobody knows the files. */
function orNothing(catalog: SegmentCatalog, id: ServedCollection['info']['id']) {
  try {
    return catalog.filesOf(id);
  } catch {
    return { segments: [], deleteFiles: [], indexFiles: [] };
  }
}

function* memoryOf(collection: ServedCollection): Generator<Labelled> {
  yield [{ kind: 'rows' }, sum(collection.shards.map(({ byteLength }) => byteLength))];
  yield [{ kind: 'indexes' }, sum([...indexesOf(collection)].map(([, bytes]) => bytes))];
}

function* segmentsOf({ shards }: ServedCollection): Generator<Labelled> {
  const segments = shards.flatMap((shard) => shard.segments());
  const count = (isOne: (segment: (typeof segments)[number]) => boolean) => segments.filter(isOne).length;
  yield [{ state: 'growing' }, count(({ id }) => id === null)];
  yield [{ state: 'flushing' }, count(({ id, file }) => id !== null && file === null)];
  yield [{ state: 'open' }, count(({ file }) => file?.isOpen === true)];
  yield [{ state: 'closed' }, count(({ file }) => file !== null && !file.isOpen && !file.isBroken)];
  yield [{ state: 'broken' }, count(({ file }) => file?.isBroken === true)];
}

function* memoryOfFields({ shards, info }: ServedCollection): Generator<Labelled> {
  const bytes = new Map<FieldId, number>();
  for (const { chunks } of shards.flatMap((shard) => shard.segments()))
    for (const chunk of chunks)
      for (const [id, own] of chunk.bytesOfFields()) bytes.set(id, (bytes.get(id) ?? 0) + own);
  for (const { id, name } of info.schema.fields) yield [{ field: name }, bytes.get(id) ?? 0];
}

function* fieldsOf({ shards, info }: ServedCollection): Generator<Labelled> {
  const bytes = new Map<FieldId, number>();
  for (const { fieldBytes } of shards.flatMap(({ files }) => files))
    for (const [id, own] of fieldBytes ?? []) bytes.set(id, (bytes.get(id) ?? 0) + own);
  for (const { id, name } of info.schema.fields) yield [{ field: name }, bytes.get(id) ?? 0];
}

function* indexesOf({ shards, info }: ServedCollection): Generator<Labelled> {
  for (const { id, name } of info.schema.fields) {
    const indexes = shards.flatMap((shard) => shard.vectorIndexes.of(id));
    if (indexes.length > 0) yield [{ field: name }, sum(indexes.map(({ memoryBytes }) => memoryBytes))];
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
