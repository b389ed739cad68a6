import { type CollectionId, type CollectionInfo, LegacyCode, MilvusError } from '@elanus/model';
import type { ServedCollection } from './served-collection.ts';

/** The collections whose rows are in this process. */
export class ServedCollections {
  readonly #byId = new Map<CollectionId, ServedCollection>();
  readonly #watchers: ((collection: ServedCollection) => void)[] = [];

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
    this.noteSchema(collection);
  }

  /** Tells the watchers of what a collection's fields are now. */
  noteSchema(collection: ServedCollection): void {
    for (const watch of this.#watchers) watch(collection);
  }

  /** Calls `watch`, which must not throw, for each collection, those to come included, and again for one with a new schema. */
  watch(watch: (collection: ServedCollection) => void): void {
    this.#watchers.push(watch);
    for (const collection of this.all()) watch(collection);
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
