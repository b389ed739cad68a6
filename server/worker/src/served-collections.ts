import { type CollectionId, type CollectionInfo, LegacyCode, MilvusError } from '@elanus/model';
import type { ServedCollection } from './served-collection.ts';

/** The collections whose rows are in this process. */
export class ServedCollections {
  readonly #byId = new Map<CollectionId, ServedCollection>();

  all(): readonly ServedCollection[] {
    return [...this.#byId.values()];
  }

  find(id: CollectionId): ServedCollection | undefined {
    return this.#byId.get(id);
  }

  /** @throws MilvusError 100 */
  get(id: CollectionId, info?: CollectionInfo): ServedCollection {
    const found = this.#byId.get(id);
    if (found === undefined) throw collectionNotServed(id, info);
    return found;
  }

  add(collection: ServedCollection): void {
    this.#byId.set(collection.info.id, collection);
  }

  remove(id: CollectionId): void {
    this.#byId.delete(id);
  }
}

function collectionNotServed(id: CollectionId, info?: CollectionInfo): MilvusError {
  const name =
    info === undefined ? `[collection=${id}]` : `[database=${info.databaseName}][collection=${info.name}]`;
  return new MilvusError(`collection not found${name}`, {
    code: 100,
    legacyCode: LegacyCode.CollectionNotExists,
    inputError: true,
  });
}
