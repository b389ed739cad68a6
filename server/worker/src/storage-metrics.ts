import type { FieldId } from '@elanus/model';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Metrics } from '@elanus/runtime';
import { storedFields } from '@elanus/segment';
import { registerFileMetrics } from './file-metrics.ts';
import type { ServedCollection } from './served-collection.ts';
import type { ServedCollections } from './served-collections.ts';

/** In the place of a field what belongs to none. No field has such a name. */
const REST = '$rows';
/** In the place of a field: files that nobody has opened yet, whose columns nobody knows. */
const CLOSED = '$closed';

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
    'Memory of rows that are in no file and of what was made of others, and of key indexes; of vector indexes with their mapped files',
    [...own, 'kind'],
    each(memoryOf),
  );
  metrics.gauges(
    'elanus_collection_mapped_bytes',
    'Bytes of the files of rows that are open, as far as they are on this machine: the system has of them in memory what it likes',
    own,
    each(({ shards }) => [[{}, sum(shards.flatMap(({ files }) => files).map((file) => file.mappedBytes))]]),
  );
  metrics.gauges(
    'elanus_collection_segments',
    'Segments by state; sealed ones that are broken can’t be read',
    [...own, 'state'],
    each(segmentsOf),
  );
  metrics.gauges(
    'elanus_field_disk_bytes',
    `Bytes of a field’s columns in files; ${REST}: times, filters of keys, footers; ${CLOSED}: of files that nobody has opened since the start`,
    [...own, 'field'],
    each(fieldsOf),
  );
  metrics.gauges(
    'elanus_field_memory_bytes',
    `Memory of a field’s columns of rows that are in no file, and of what was made of others; ${REST}: of bitmaps and the like`,
    [...own, 'field'],
    each(memoryOfFields),
  );
  metrics.gauges(
    'elanus_field_mapped_bytes',
    `Of elanus_collection_mapped_bytes the columns of a field; ${REST}: times, filters of keys, footers`,
    [...own, 'field'],
    each(mappedFields),
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
  const { shards } = collection;
  const rows = sum(chunksOf(shards).map(({ byteLength }) => byteLength));
  yield [{ kind: 'rows' }, rows];
  yield [{ kind: 'keys' }, sum(shards.map(({ byteLength }) => byteLength)) - rows];
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

function memoryOfFields({ shards, info }: ServedCollection): Iterable<Labelled> {
  const chunks = chunksOf(shards);
  const all = sum(chunks.map(({ byteLength }) => byteLength));
  return withRest(
    info,
    chunks.map((chunk) => chunk.bytesOfFields()),
    all,
  );
}

function mappedFields({ shards, info }: ServedCollection): Iterable<Labelled> {
  const files = shards.flatMap((shard) => shard.files);
  const all = sum(files.map(({ mappedBytes }) => mappedBytes));
  return withRest(
    info,
    files.map((file) => file.mappedFieldBytes),
    all,
  );
}

function* fieldsOf({ shards, info }: ServedCollection): Generator<Labelled> {
  const files = shards.flatMap((shard) => shard.files);
  const all = sum(files.map((file) => file.info.file.bytes));
  const open = files.filter(({ fieldBytes }) => fieldBytes !== null);
  const opened = sum(open.map((file) => file.info.file.bytes));
  yield* withRest(
    info,
    open.map(({ fieldBytes }) => fieldBytes ?? []),
    opened,
  );
  yield [{ field: CLOSED }, all - opened];
}

type FieldBytes = Iterable<readonly [id: FieldId, bytes: number]>;

function* byField({ schema }: ServedCollection['info'], parts: Iterable<FieldBytes>): Generator<Labelled> {
  const bytes = new Map<FieldId, number>();
  for (const part of parts) for (const [id, own] of part) bytes.set(id, (bytes.get(id) ?? 0) + own);
  for (const { id, name } of storedFields(schema)) yield [{ field: name }, bytes.get(id) ?? 0];
}

/** By field, and what all have beside fields: the sum is `all`. */
function* withRest(
  info: ServedCollection['info'],
  parts: Iterable<FieldBytes>,
  all: number,
): Generator<Labelled> {
  let rest = all;
  for (const line of byField(info, parts)) {
    rest -= line[1];
    yield line;
  }
  yield [{ field: REST }, rest];
}

function chunksOf(shards: ServedCollection['shards']) {
  return shards.flatMap((shard) => shard.segments()).flatMap(({ chunks }) => chunks);
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
