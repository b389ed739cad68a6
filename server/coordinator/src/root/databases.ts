import { type KeyValue, refused, tooManyDatabases } from '@elanus/model';
import type { DatabaseInfo, PropertyChange } from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import { type Catalog, DEFAULT_DATABASE_ID, DEFAULT_DATABASE_NAME } from '../catalog/catalog.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import type { IdAllocator } from './id-allocator.ts';

export interface DatabasesOptions {
  readonly catalog: Catalog;
  readonly timestamps: TimestampSource;
  readonly ids: IdAllocator;
  readonly limits: CoordinatorLimits;
}

/** The databases of the deployment. `default` is always among them. */
export class Databases {
  readonly #catalog: Catalog;
  readonly #timestamps: TimestampSource;
  readonly #ids: IdAllocator;
  readonly #limits: CoordinatorLimits;

  constructor(options: DatabasesOptions) {
    this.#catalog = options.catalog;
    this.#timestamps = options.timestamps;
    this.#ids = options.ids;
    this.#limits = options.limits;
  }

  /** Makes `default` when the catalog is new. */
  async makeDefault(): Promise<void> {
    if (this.#isThere(DEFAULT_DATABASE_NAME)) return;
    await this.#put(DEFAULT_DATABASE_ID, DEFAULT_DATABASE_NAME, []);
  }

  /** @throws MilvusError 65535 when the name is taken, 801 when there are as many as may be */
  async create(name: string, properties: readonly KeyValue[]): Promise<DatabaseInfo> {
    return await this.#catalog.withDatabases(async () => {
      if (this.#isThere(name)) throw refused(`database already exist: ${name}`);
      // `default` is everybody's and does not count.
      const limit = this.#limits.databasesMax;
      if (this.#catalog.databases().length > limit) throw tooManyDatabases(limit);
      return await this.#put(await this.#ids.allocate(1), name, properties);
    });
  }

  /** A database that does not exist counts as dropped. @throws MilvusError 65535 for `default` and one in use */
  async drop(name: string): Promise<void> {
    if (name === DEFAULT_DATABASE_NAME) throw refused('can not drop default database');
    await this.#catalog.withDatabases(async () => {
      if (!this.#isThere(name)) return;
      // Its own lock too: a collection may be on its way into it.
      await this.#catalog.withDatabase(name, async (database) => {
        if (this.#catalog.collections().some(({ databaseId }) => databaseId === database.id)) {
          throw refused(`database:${name} not empty, must drop all collections before drop database`);
        }
        await this.#catalog.commit([{ kind: 'remove-database', database }]);
      });
    });
  }

  /** @throws databaseNotFound */
  async alter(name: string, change: PropertyChange): Promise<void> {
    await this.#catalog.withDatabase(name, async (database) => {
      const properties = changed(database.properties, change);
      await this.#catalog.commit([{ kind: 'put-database', database: { ...database, properties } }]);
    });
  }

  #isThere(name: string): boolean {
    return this.#catalog.findDatabase(name) !== undefined;
  }

  async #put(id: bigint, name: string, properties: readonly KeyValue[]): Promise<DatabaseInfo> {
    const database: DatabaseInfo = {
      id,
      name,
      createdTimestamp: this.#timestamps.next(),
      properties: changed([], { set: properties, remove: [] }),
    };
    await this.#catalog.commit([{ kind: 'put-database', database }]);
    return database;
  }
}

/** Each key once: of a key that is set twice, the last value counts. */
function changed(properties: readonly KeyValue[], { set, remove }: PropertyChange): readonly KeyValue[] {
  const after = new Map([...properties, ...set].map(({ key, value }) => [key, value]));
  for (const key of remove) after.delete(key);
  return Array.from(after, ([key, value]) => ({ key, value }));
}
