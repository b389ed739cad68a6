import {
  type CollectionId,
  type CollectionInfo,
  memoryLimitExceeded,
  mmapSetting,
  textIndexId,
} from '@elanus/model';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoadRecord } from '../catalog/load-record.ts';
import { bytesOf, filesOfPartitions, isPartitionLoaded } from './load-scope.ts';

const FITTING_INDEX_TYPES: readonly string[] = ['DISKANN', 'AISAQ', 'AUTOINDEX'];

/**
 * Whether what is to be loaded fits into memory, by the bytes of the files of rows and indexes. What is `mmap.enabled`
 * takes none: it gives way to anything else. So do indexes that are made to stay on disk, or to fit what memory there is.
 */
export class LoadMemory {
  readonly #catalog: Catalog;
  readonly #bytesMax: number;

  /** `bytesMax`: what the process may have. */
  constructor(catalog: Catalog, bytesMax: number) {
    this.#catalog = catalog;
    this.#bytesMax = bytesMax;
  }

  /**
   * Passes a load that needs no more than is loaded already, however little memory there is.
   * @throws MilvusError 3 with the numbers, when `wanted` does not fit beside what else is loaded
   */
  check(collection: CollectionInfo, wanted: LoadRecord): void {
    if (this.#bytesMax === Number.POSITIVE_INFINITY) return;
    const current = this.#catalog.loadOf(collection.id);
    const ownBytes = this.#bytesOf(collection, wanted);
    if (ownBytes <= (current === undefined ? 0 : this.#bytesOf(collection, current))) return;
    const otherBytes = this.#bytesBeside(collection.id);
    if (ownBytes + otherBytes <= this.#bytesMax) return;
    throw memoryLimitExceeded(collection.name, { ownBytes, otherBytes, bytesMax: this.#bytesMax });
  }

  #bytesBeside(id: CollectionId): number {
    let bytes = 0;
    for (const collection of this.#catalog.collections()) {
      const load = collection.id === id ? undefined : this.#catalog.loadOf(collection.id);
      if (load !== undefined) bytes += this.#bytesOf(collection, load);
    }
    return bytes;
  }

  #bytesOf(collection: CollectionInfo, load: LoadRecord): number {
    const loaded = filesOfPartitions(this.#catalog.files.of(collection.id), (partition) =>
      isPartitionLoaded(load, partition),
    );
    const ofCollection = mmapSetting(collection.properties);
    const mappedIndexes = new Set(
      this.#catalog
        .indexesOf(collection.id)
        .filter(
          ({ indexType, params }) =>
            FITTING_INDEX_TYPES.includes(indexType) || (mmapSetting(params) ?? ofCollection) === 'mapped',
        )
        .map(({ id }) => id),
    );
    // Words are always used from their files.
    for (const { id } of collection.schema.fields) mappedIndexes.add(textIndexId(id));
    const indexes = loaded.indexFiles.filter(({ indexId }) => !mappedIndexes.has(indexId));
    const rows = ofCollection === 'mapped' ? [] : loaded.segments;
    return bytesOf(rows) + bytesOf(indexes);
  }
}
