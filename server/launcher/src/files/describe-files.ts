import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Catalog, CatalogSegments, IdAllocator } from '@elanus/coordinator';
import { openMetaStore } from '@elanus/meta-store';
import { type CollectionInfo, MilvusError } from '@elanus/model';
import { listAll, type ObjectStore, openObjectStore } from '@elanus/object-store';
import type { CollectionFiles, SegmentCatalog } from '@elanus/rpc';
import { NodeDisk, silentLogger, systemClock, systemRandom } from '@elanus/runtime';
import { SegmentFile, SegmentFileError, sourceInStore } from '@elanus/segment';
import type { Configuration } from '../config/read-configuration.ts';
import { DataDirectory } from '../data-directory.ts';
import { requireDataDirectory } from './require-data-directory.ts';

/** Copies that have holes: they take the blocks that are left. */
const HOLLOW = 'cache/hollow/';
const BLOCK_BYTES = 512;

/** One file of a deployment. */
export interface FileDescription {
  /** In the data directory, or the key in the object store. */
  readonly path: string;
  readonly bytes: number;
  /** `null`: it holds none, or nobody knows how many. */
  readonly rows: number | null;
  /** What it is, in words. */
  readonly what: string;
  /** Who needs it, in words; empty: nobody. */
  readonly neededBy: string;
}

/**
 * What each file of a server that does not run is: those of its data directory first, then those of its object store.
 * @throws StartError when a server runs on the directory, or it is none of ours
 */
export async function* describeFiles(configuration: Configuration): AsyncGenerator<FileDescription> {
  const { dataDirectory } = configuration;
  await requireDataDirectory(dataDirectory);
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await DataDirectory.open(dataDirectory));
  const metaStore = opened.adopt(
    await openMetaStore({
      disk: new NodeDisk(),
      directory: directory.pathOf('catalog'),
      logger: silentLogger,
    }),
    (store) => store.close(),
  );
  const catalog = await Catalog.open(metaStore);
  const ids = await IdAllocator.open({ store: metaStore, clock: systemClock });
  const segments = new CatalogSegments({ catalog, ids });
  const store = opened.use(
    await openObjectStore(configuration.objectStore, {
      clock: systemClock,
      random: systemRandom,
      disk: new NodeDisk(),
    }),
  );
  const { objectStore } = configuration;
  const objects = objectStore.type === 'local' ? objectStore.directory : null;
  yield* describeDirectory(directory.path, objects, catalog.collections());
  yield* describeObjects(store, segments, catalog.collections());
}

async function* describeDirectory(
  directory: string,
  objects: string | null,
  collections: readonly CollectionInfo[],
): AsyncGenerator<FileDescription> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.toSorted()) {
    if (objects !== null && file.startsWith(`${objects}/`)) continue;
    const path = relative(directory, file);
    const { size, blocks } = await stat(file);
    const bytes = path.startsWith(HOLLOW) ? Math.min(size, blocks * BLOCK_BYTES) : size;
    yield { path, bytes, rows: null, ...meaningOf(path, collections) };
  }
}

function meaningOf(
  path: string,
  collections: readonly CollectionInfo[],
): Pick<FileDescription, 'what' | 'neededBy'> {
  const [folder, name] = path.split('/');
  if (path === 'LOCK') return { what: 'lock: one server at a time', neededBy: 'the server' };
  if (path === 'VERSION') return { what: 'format of the directory', neededBy: 'the server' };
  if (path === 'OWNER') return { what: 'name of the directory in its object store', neededBy: 'the server' };
  if (folder === 'catalog')
    return { what: 'catalog: what is defined, and which files count', neededBy: 'the server' };
  if (path.startsWith(HOLLOW))
    return { what: 'keys of a copy that gave way', neededBy: 'nobody: the next start removes it' };
  if (folder === 'cache')
    return { what: 'copy of an object of the bucket', neededBy: 'nobody: it is fetched again' };
  if (folder !== 'log') return { what: 'unknown', neededBy: '' };
  const owner = collections.find(({ channels }) => channels.some((channel) => channel === name));
  const what = 'log of a shard: writes that are in no file yet';
  return { what, neededBy: owner === undefined ? '' : nameOf(owner) };
}

async function* describeObjects(
  store: ObjectStore,
  catalog: SegmentCatalog,
  collections: readonly CollectionInfo[],
): AsyncGenerator<FileDescription> {
  const known = new Map<string, Pick<FileDescription, 'rows' | 'what' | 'neededBy'>>();
  for (const collection of collections) {
    const { segments, deleteFiles, indexFiles } = filesOf(catalog, collection);
    const neededBy = nameOf(collection);
    for (const { id, rows, partitionId, file } of segments) {
      const partition = collection.partitions.find((one) => one.id === partitionId)?.name ?? partitionId;
      known.set(file.key, { rows, what: `rows of segment ${id} of partition ${partition}`, neededBy });
    }
    for (const { rows, channel, file } of deleteFiles)
      known.set(file.key, { rows, what: `deletions of rows of ${channel}`, neededBy });
    for (const { rows, fieldId, runs, file } of indexFiles) {
      const field = collection.schema.fields.find((one) => one.id === fieldId)?.name ?? fieldId;
      const ids = [...new Set(runs.map(({ segmentId }) => segmentId))].join(', ');
      known.set(file.key, { rows, what: `index of field ${field} over segments ${ids}`, neededBy });
    }
  }
  for await (const { key, sizeBytes } of listAll(store, '')) {
    const meaning = known.get(key) ?? (await strangerOf(store, key, sizeBytes));
    known.delete(key);
    yield { path: key, bytes: sizeBytes, ...meaning };
  }
  for (const [key, { rows, what, neededBy }] of known)
    yield { path: key, bytes: 0, rows, what: `MISSING: ${what}`, neededBy };
}

/** Nothing is known of the files of a collection whose records are damaged. */
function filesOf(catalog: SegmentCatalog, { id }: CollectionInfo): Omit<CollectionFiles, 'checkpoint'> {
  try {
    return catalog.filesOf(id);
  } catch (error) {
    if (!(error instanceof MilvusError)) throw error;
    return { segments: [], deleteFiles: [], indexFiles: [] };
  }
}

/** A file that the catalog does not name: what it says of itself. */
async function strangerOf(
  store: ObjectStore,
  key: string,
  sizeBytes: number,
): Promise<Pick<FileDescription, 'rows' | 'what' | 'neededBy'>> {
  if (key === 'elanus-owner')
    return {
      rows: null,
      what: 'name of the data directory that the store belongs to',
      neededBy: 'the server',
    };
  if (!key.endsWith('.arrow')) return { rows: null, what: 'not in the catalog', neededBy: '' };
  try {
    const { kind, rows, label } = (await SegmentFile.open(sourceInStore(store, key, sizeBytes))).footer;
    const of = `${kind === 'rows' ? 'rows' : 'deletions'} of collection ${label.collectionId}`;
    return { rows, what: `${of}, not in the catalog`, neededBy: '' };
  } catch (error) {
    if (!(error instanceof SegmentFileError)) throw error;
    return { rows: null, what: `not in the catalog, and ${error.message}`, neededBy: '' };
  }
}

function nameOf({ databaseName, name }: CollectionInfo): string {
  return databaseName === 'default' ? `collection ${name}` : `collection ${databaseName}.${name}`;
}
