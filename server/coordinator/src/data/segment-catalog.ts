import {
  assert,
  type CollectionId,
  collectionNotFound,
  dataIntegrity,
  deleteFileKey,
  type IndexFileInfo,
  indexFileKey,
  type MeasuredRecalls,
  type PartitionId,
  refused,
  type SegmentId,
  type SegmentInfo,
  type StoredFile,
  segmentFileKey,
  type Timestamp,
  textIndexId,
} from '@elanus/model';
import type { CollectionFiles, CompactionPublication, FlushPublication, SegmentCatalog } from '@elanus/rpc';
import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogChange } from '../catalog/catalog-change.ts';
import { CATALOG_PREFIX, type FileRecordKind } from '../catalog/catalog-keys.ts';
import type { IdAllocator } from '../root/id-allocator.ts';

/** `collection-<id>/<folder>/<file id>.<ending>`; of segments that were refilled `<segment>-<file id>.<ending>` */
const FILE_KEY =
  /^collection-(\d{1,19})\/(?:log-snapshot|delta|index)\/(\d{1,19})(?:-\d{1,19})?\.(?:arrow|idx)$/;

/** Which files count, by the records of the catalog. */
export class CatalogSegments implements SegmentCatalog {
  readonly #catalog: Catalog;
  readonly #ids: IdAllocator;

  constructor({ catalog, ids }: { readonly catalog: Catalog; readonly ids: IdAllocator }) {
    this.#catalog = catalog;
    this.#ids = ids;
  }

  async allocateIds(count: number): Promise<readonly SegmentId[]> {
    if (count === 0) return [];
    const first = await this.#ids.allocate(count);
    return Array.from({ length: count }, (_, at) => (first + BigInt(at)) as SegmentId);
  }

  filesOf(id: CollectionId): CollectionFiles {
    const damage = this.#catalog.damageOf(id);
    if (damage !== undefined) throw dataIntegrity(`catalog record ${damage.key}: ${damage.reason}`, null);
    return this.#catalog.files.of(id);
  }

  async publishFlush(flush: FlushPublication): Promise<ReadonlySet<PartitionId>> {
    const { checkpoint, segments, deleteFiles, deadSegments, replacedDeleteFiles } = flush;
    const { collectionId } = checkpoint;
    return await this.#catalog.withCollectionId(collectionId, async (collection) => {
      if (collection === undefined) throw collectionNotFound('', String(collectionId));
      const before = this.#catalog.files.of(collectionId).checkpoint;
      assert(before === null || before.timestamp <= checkpoint.timestamp, 'a checkpoint never steps back');
      // A compaction may have forgotten more since the cut of this flush.
      const historyStart = latestOf(before?.historyStart ?? checkpoint.historyStart, checkpoint.historyStart);
      const partitions = new Set(collection.partitions.map(({ id }) => id));
      const kept = segments.filter(({ partitionId }) => partitions.has(partitionId));
      await this.#catalog.commit([
        ...kept.map((segment) => ({ kind: 'put-segment', segment }) as const),
        ...deleteFiles.map((file) => ({ kind: 'put-delete-file', file }) as const),
        ...this.#catalog.files.removalOf(collectionId, deadSegments),
        ...replacedDeleteFiles.map((id) => removal('deleteFile', collectionId, id)),
        ...this.#catalog.files.publicationOf(
          collectionId,
          segments.map(({ id }) => id),
        ),
        { kind: 'put-checkpoint', checkpoint: { ...checkpoint, historyStart } },
      ]);
      return partitions;
    });
  }

  async publishCompaction(compaction: CompactionPublication): Promise<boolean> {
    const { collectionId, replaced, segment, deleteFile, replacedDeleteFiles, historyStart } = compaction;
    return await this.#catalog.withCollectionId(collectionId, async (collection) => {
      const { checkpoint } = this.#catalog.files.of(collectionId);
      const areThere = replaced.every((id) => this.#catalog.files.has('segment', collectionId, id));
      const partitions = collection?.partitions.map(({ id }) => id) ?? [];
      if (!areThere || checkpoint === null) return false;
      if (segment !== null && !partitions.includes(segment.partitionId)) return false;
      const latest = latestOf(checkpoint.historyStart, historyStart);
      await this.#catalog.commit([
        ...this.#catalog.files.removalOf(collectionId, replaced),
        ...replacedDeleteFiles.map((id) => removal('deleteFile', collectionId, id)),
        ...(segment === null ? [] : [{ kind: 'put-segment', segment } as const]),
        ...(deleteFile === null ? [] : [{ kind: 'put-delete-file', file: deleteFile } as const]),
        { kind: 'put-checkpoint', checkpoint: { ...checkpoint, historyStart: latest } },
      ]);
      return true;
    });
  }

  async publishRefill(segment: SegmentInfo, before: StoredFile): Promise<boolean> {
    const { collectionId, id } = segment;
    return await this.#catalog.withCollectionId(collectionId, async () => {
      const known = this.#catalog.files.segment(collectionId, id);
      if (known?.file.key !== before.key) return false;
      await this.#catalog.commit([{ kind: 'put-segment', segment }]);
      return true;
    });
  }

  async publishIndexFile(file: IndexFileInfo, replaced: readonly SegmentId[]): Promise<void> {
    const { collectionId, indexId, runs } = file;
    await this.#catalog.withCollectionId(collectionId, async (collection) => {
      const hasIndex =
        this.#catalog.indexesOf(collectionId).some(({ id }) => id === indexId) ||
        collection?.schema.fields.some(({ id }) => textIndexId(id) === indexId);
      const hasRows = runs.every(({ segmentId }) =>
        this.#catalog.files.has('segment', collectionId, segmentId),
      );
      if (!hasIndex || !hasRows) throw refused(`the index ${indexId} or its rows were dropped`);
      await this.#catalog.commit([
        { kind: 'put-index-file', file },
        ...replaced.map((id) => removal('indexFile', collectionId, id)),
      ]);
    });
  }

  async keepRecalls(
    { collectionId, id }: Pick<IndexFileInfo, 'collectionId' | 'id'>,
    recalls: readonly MeasuredRecalls[],
  ): Promise<void> {
    await this.#catalog.withCollectionId(collectionId, async () => {
      const file = this.#catalog.files.of(collectionId).indexFiles.find((known) => known.id === id);
      if (file === undefined) return;
      await this.#catalog.commit([{ kind: 'put-index-file', file: { ...file, recalls } }]);
    });
  }

  standingOf(key: string): 'referenced' | 'unreferenced' | 'uncertain' {
    const match = FILE_KEY.exec(key);
    if (match === null) return 'uncertain';
    const collection = BigInt(match[1]!) as CollectionId;
    const id = BigInt(match[2]!) as SegmentId;
    if (this.#catalog.damageOf(collection) !== undefined) return 'uncertain';
    if (this.#catalog.isOfEarlierCatalog(collection)) return 'uncertain';
    const { files } = this.#catalog;
    if (files.segment(collection, id)?.file.key === key) return 'referenced';
    switch (key) {
      case segmentFileKey(collection, id):
        if (files.isStaged(collection, id)) return 'referenced';
        return this.#hasDamagedImports() ? 'uncertain' : 'unreferenced';
      case deleteFileKey(collection, id):
        return files.has('deleteFile', collection, id) ? 'referenced' : 'unreferenced';
      case indexFileKey(collection, id):
        return files.has('indexFile', collection, id) ? 'referenced' : 'unreferenced';
      default:
        return isRefill(key) ? 'unreferenced' : 'uncertain';
    }
  }

  /** Nobody knows which files they have staged. */
  #hasDamagedImports(): boolean {
    return this.#catalog.damage().some(({ key }) => key.startsWith(CATALOG_PREFIX.import));
  }
}

/** Whether a file was to take the place of a segment's. */
function isRefill(key: string): boolean {
  return /\/log-snapshot\/\d+-\d+\.arrow$/.test(key);
}

function latestOf(one: Timestamp, other: Timestamp): Timestamp {
  return one > other ? one : other;
}

function removal(of: FileRecordKind, collectionId: CollectionId, id: SegmentId): CatalogChange {
  return { kind: 'remove-file', of, collectionId, id };
}
