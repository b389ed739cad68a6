import assert from 'node:assert/strict';
import type { CollectionId, CollectionInfo } from '@elanus/model';
import type { RootCoordinator } from '@elanus/rpc';
import type { Random } from '@elanus/runtime';
import { CollectionModel } from './collection-model.ts';
import { randomCollection } from './random-collection.ts';

const DATABASE = 'default';
const NAMES = ['birds', 'stars', 'ships'];
const PARTITION_NAMES = ['north', 'south'];
const COLLECTIONS_MAX = 2;

/** Collections and the names of their partitions. */
type Definitions = ReadonlyMap<string, readonly string[]>;

/** One change of the catalog, about to be asked for. */
export interface Definition {
  /** What the catalog holds once it is done. */
  readonly after: Definitions;
  /** The collection that it takes away, if any. */
  readonly drops: CollectionModel | null;
  run(root: RootCoordinator): Promise<unknown>;
}

/** The catalog as clients know it. One of them at a time changes it; all of them may write to what it holds. */
export class CatalogModel {
  readonly #collections = new Map<CollectionId, CollectionModel>();
  /** What the catalog may hold: more than one thing while a change is unanswered. */
  #possible: readonly Definitions[] = [new Map()];
  /** Being dropped, or perhaps dropped. */
  #dropping: CollectionModel | null = null;

  get collections(): readonly CollectionModel[] {
    return [...this.#collections.values()];
  }

  /** Whether requests to the collection may be told that it does not exist. */
  mayBeGone(collection: CollectionModel): boolean {
    return this.#dropping === collection || !this.#collections.has(collection.info.id);
  }

  /** Draws a change and expects it from now on; `answered`, `refused` or, after a crash, `check` must follow. */
  begin(random: Random): Definition {
    const definition = this.#draw(random);
    this.#possible = [this.#known(), definition.after];
    this.#dropping = definition.drops;
    return definition;
  }

  /** The change was acknowledged; `root` must show it. */
  async answered(root: RootCoordinator, { after }: Definition): Promise<void> {
    this.#possible = [after];
    await this.check(root);
  }

  /** The change was refused: `root` must not show it. */
  async refused(root: RootCoordinator): Promise<void> {
    this.#possible = [this.#known()];
    await this.check(root);
  }

  /** Compares with what there is, and learns from it what an unanswered change came to. */
  async check(root: RootCoordinator): Promise<void> {
    const infos = await root.listCollections(DATABASE);
    const found = textOf(new Map(infos.map((info) => [info.name, partitionNames(info)])));
    const possible = this.#possible.map(textOf);
    assert.ok(possible.includes(found), `the catalog has ${found}, not ${possible.join(' or ')}`);
    for (const id of this.#collections.keys())
      if (!infos.some((info) => info.id === id)) this.#collections.delete(id);
    for (const info of infos) {
      const known = this.#collections.get(info.id);
      if (known === undefined) this.#collections.set(info.id, new CollectionModel(info));
      else known.adopt(info);
    }
    this.#possible = [this.#known()];
    this.#dropping = null;
  }

  #draw(random: Random): Definition {
    const known = this.#known();
    const unused = NAMES.filter((name) => !known.has(name));
    const collections = this.collections;
    if (collections.length === 0 || (collections.length < COLLECTIONS_MAX && random.chance(0.3))) {
      const name = unused[random.below(unused.length)]!;
      return {
        after: new Map([...known, [name, ['_default']]]),
        drops: null,
        run: (root) => root.createCollection(randomCollection(name, random)),
      };
    }
    const model = collections[random.below(collections.length)]!;
    const { name, partitions } = model.info;
    const ref = { database: DATABASE, collection: name };
    if (random.chance(0.15)) {
      const after = new Map([...known].filter(([other]) => other !== name));
      return { after, drops: model, run: (root) => root.dropCollection(ref) };
    }
    const partition = PARTITION_NAMES[random.below(PARTITION_NAMES.length)]!;
    const existing = partitions.find((other) => other.name === partition);
    if (existing === undefined) {
      const after = new Map([...known, [name, [...partitionNames(model.info), partition]]]);
      return { after, drops: null, run: (root) => root.createPartition(ref, partition) };
    }
    model.doubt(existing.id);
    const left = partitionNames(model.info).filter((other) => other !== partition);
    const after = new Map([...known, [name, left]]);
    return { after, drops: null, run: (root) => root.dropPartition(ref, partition) };
  }

  #known(): Definitions {
    return new Map(this.collections.map(({ info }) => [info.name, partitionNames(info)]));
  }
}

function partitionNames({ partitions }: CollectionInfo): readonly string[] {
  return partitions.map(({ name }) => name);
}

function textOf(definitions: Definitions): string {
  const texts = [...definitions].map(([name, partitions]) => `${name}(${[...partitions].sort()})`);
  return `{${texts.sort()}}`;
}
