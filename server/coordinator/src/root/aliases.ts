import {
  aliasConflict,
  aliasNotFound,
  aliasTaken,
  aliasWithoutCollection,
  type CollectionInfo,
  collectionNotFound,
  type DatabaseId,
} from '@elanus/model';
import type { CollectionRef } from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import type { AliasRecord } from '../catalog/alias-record.ts';
import type { Catalog } from '../catalog/catalog.ts';

/**
 * Second names of collections, each within one database. An alias moves by one record, so a request finds the
 * collection before or the one after, never none.
 */
export class Aliases {
  readonly #catalog: Catalog;
  readonly #timestamps: TimestampSource;

  constructor(options: { readonly catalog: Catalog; readonly timestamps: TimestampSource }) {
    this.#catalog = options.catalog;
    this.#timestamps = options.timestamps;
  }

  /** The same again changes nothing. @throws aliasConflict, aliasTaken, collectionNotFound, databaseNotFound */
  async create(ref: CollectionRef, alias: string): Promise<void> {
    await this.#catalog.withDatabase(ref.database, async ({ id }) => {
      const target = this.#target(ref, alias);
      const existing = this.#catalog.findAlias(ref.database, alias);
      if (existing === undefined) {
        await this.#put({
          databaseId: id as DatabaseId,
          name: alias,
          collectionId: target.id,
          createdTimestamp: this.#timestamps.next(),
        });
      } else if (existing.collectionId !== target.id) {
        const other = this.#catalog.collectionById(existing.collectionId);
        throw aliasTaken(ref.database, alias, other?.name ?? String(existing.collectionId));
      }
    });
  }

  /** @throws aliasConflict, aliasNotFound, collectionNotFound, databaseNotFound */
  async alter(ref: CollectionRef, alias: string): Promise<void> {
    await this.#catalog.withDatabase(ref.database, async () => {
      const target = this.#target(ref, alias);
      const existing = this.#catalog.findAlias(ref.database, alias);
      if (existing === undefined) throw aliasNotFound(ref.database, alias);
      if (existing.collectionId === target.id) return;
      await this.#put({ ...existing, collectionId: target.id });
    });
  }

  /** An alias that does not exist counts as dropped. @throws databaseNotFound */
  async drop(database: string, name: string): Promise<void> {
    await this.#catalog.withDatabase(database, async () => {
      const alias = this.#catalog.findAlias(database, name);
      if (alias !== undefined) await this.#catalog.commit([{ kind: 'remove-alias', alias }]);
    });
  }

  /** The collection that `name` stands for. @throws aliasNotFound, aliasWithoutCollection, databaseNotFound */
  describe(database: string, name: string): CollectionInfo {
    const alias = this.#catalog.findAlias(database, name);
    if (alias === undefined) throw aliasNotFound(database, name);
    const collection = this.#catalog.collectionById(alias.collectionId);
    if (collection === undefined) throw aliasWithoutCollection(alias.collectionId);
    return collection;
  }

  /** In alphabetical order. @throws databaseNotFound */
  list(database: string): readonly string[] {
    const { id } = this.#catalog.database(database);
    const inside = this.#catalog.aliases().filter(({ databaseId }) => databaseId === id);
    return inside.map(({ name }) => name).sort();
  }

  /** The collection that an alias is to stand for: an alias of an alias there is not. */
  #target(ref: CollectionRef, alias: string): CollectionInfo {
    if (this.#catalog.findByOwnName({ ...ref, collection: alias }) !== undefined) {
      throw aliasConflict(ref.database, alias);
    }
    const target = this.#catalog.findByOwnName(ref);
    if (target === undefined) throw collectionNotFound(ref.database, ref.collection);
    return target;
  }

  async #put(alias: AliasRecord): Promise<void> {
    await this.#catalog.commit([{ kind: 'put-alias', alias }]);
  }
}
