import { type CollectionInfo, cacheLimitExceeded, type PartitionId } from '@elanus/model';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoadRecord } from '../catalog/load-record.ts';
import { bytesOf, filesOfPartitions, loadedPartitions } from './load-scope.ts';

/**
 * Whether what is to be loaded can be read out of the local copies of a bucket's files: a search holds the files of all
 * partitions that it asks, and it asks one at least. Those of others give way.
 */
export class LoadCache {
  readonly #catalog: Catalog;
  readonly #bytesMax: number;

  /** `bytesMax`: of all copies. */
  constructor(catalog: Catalog, bytesMax: number) {
    this.#catalog = catalog;
    this.#bytesMax = bytesMax;
  }

  /**
   * Passes partitions that are loaded already, however large they have grown.
   * @throws MilvusError 7 with the numbers, when the files of the rows and indexes of one partition are more than fit
   */
  check(collection: CollectionInfo, wanted: LoadRecord): void {
    if (this.#bytesMax === Number.POSITIVE_INFINITY) return;
    const current = this.#catalog.loadOf(collection.id);
    const known = new Set(current === undefined ? [] : loadedPartitions(current, collection));
    for (const partition of loadedPartitions(wanted, collection)) {
      const bytes = known.has(partition) ? 0 : this.#bytesOf(collection, partition.id);
      if (bytes > this.#bytesMax)
        throw cacheLimitExceeded(collection.name, partition.name, { bytes, bytesMax: this.#bytesMax });
    }
  }

  #bytesOf({ id }: CollectionInfo, partition: PartitionId): number {
    const { segments, indexFiles } = filesOfPartitions(
      this.#catalog.files.of(id),
      (one) => one === partition,
    );
    return bytesOf(segments) + bytesOf(indexFiles);
  }
}
