import assert from 'node:assert/strict';
import test from 'node:test';
import { ConsistencyLevel, DataType, MilvusError } from '@elanus/model';
import fc from 'fast-check';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { field, schemaOf } from '../testing/schema-fixture.ts';
import type { CommitFault } from '../testing/unreliable-meta-store.ts';

/** What a catalog is, said as simply as possible. */
interface ModelCollection {
  readonly dim: number;
  readonly partitions: readonly string[];
  readonly index: string | null;
  readonly loaded: readonly string[];
  readonly wholly: boolean;
}
type Model = Readonly<Record<string, ModelCollection>>;

interface Command {
  readonly kind:
    | 'create'
    | 'drop'
    | 'rename'
    | 'create-partition'
    | 'drop-partition'
    | 'index'
    | 'drop-index'
    | 'load'
    | 'load-partition'
    | 'release'
    | 'release-partition';
  readonly collection: string;
  readonly other: string;
  readonly partition: string;
  readonly dim: number;
  readonly fault: CommitFault | null;
}

const ref = (collection: string) => ({ database: 'default', collection });
const loadRequest = { fields: [], skipDynamicField: false, replicaNumber: 1, refresh: false };

const commands = fc.array(
  fc.record<Command>({
    kind: fc.constantFrom(
      'create',
      'create',
      'drop',
      'rename',
      'create-partition',
      'create-partition',
      'drop-partition',
      'index',
      'index',
      'drop-index',
      'load',
      'load-partition',
      'release',
      'release-partition',
    ),
    collection: fc.constantFrom('a', 'b'),
    other: fc.constantFrom('a', 'b', 'c'),
    partition: fc.constantFrom('_default', 'p', 'q'),
    dim: fc.constantFrom(4, 4, 8),
    fault: fc.constantFrom(null, null, null, 'refused', 'crash before', 'crash after'),
  }),
  { maxLength: 40 },
);

test('any sequence of definitions, refusals and crashes leaves what a simple model says', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (plan) => {
      let deployment = await openDeployment();
      let model: Model = {};
      for (const command of plan) {
        const expected = step(model, command);
        const { failure, committed } = await attempt(deployment, command);
        if (expected === 'refused') assert.ok(failure instanceof MilvusError, `${command.kind}: ${failure}`);
        else if (failure === null || committed) model = expected;
        if (deployment.store.crashed)
          deployment = await openDeployment({ store: deployment.store.restart() });
        assert.deepEqual(await observe(deployment), model);
        assertChannelsMatch(deployment);
      }
      await deployment.oracle.close();
    }),
    { numRuns: 150 },
  );
});

/** Runs the command under its fault; `committed` when its change became durable although it failed. */
async function attempt(deployment: Deployment, command: Command) {
  const { store } = deployment;
  store.failNext(command.fault, changedKeys(command));
  try {
    await run(deployment, command);
    return { failure: null, committed: true };
  } catch (failure) {
    return { failure, committed: store.crashed && command.fault === 'crash after' };
  } finally {
    if (!store.crashed) store.failNext(null);
  }
}

/** Where the command's own transaction writes; reserving ids is another one. */
function changedKeys(command: Command): string {
  if (command.kind === 'index' || command.kind === 'drop-index') return 'catalog/index/';
  if (/load|release/.test(command.kind)) return 'catalog/load/';
  return 'catalog/collection/';
}

async function run({ root, index, query }: Deployment, command: Command): Promise<unknown> {
  const at = ref(command.collection);
  switch (command.kind) {
    case 'create':
      return await root.createCollection({
        database: 'default',
        schema: schemaOf(command.collection, [field('vector', DataType.FloatVector, { dim: command.dim })]),
        shardsNum: 1,
        partitionsNum: 1,
        consistencyLevel: ConsistencyLevel.Bounded,
        properties: [],
      });
    case 'drop':
      return await root.dropCollection(at);
    case 'rename':
      return await root.renameCollection(at, ref(command.other));
    case 'create-partition':
      return await root.createPartition(at, command.partition);
    case 'drop-partition':
      return await root.dropPartition(at, command.partition);
    case 'index':
      return await index.createIndex(at, {
        fieldName: 'vector',
        indexName: '',
        params: [{ key: 'metric_type', value: command.dim === 4 ? 'L2' : 'IP' }],
      });
    case 'drop-index':
      return await index.dropIndex(at, '');
    case 'load':
      return await query.load(at, { ...loadRequest, partitions: null });
    case 'load-partition':
      return await query.load(at, { ...loadRequest, partitions: [command.partition] });
    case 'release':
      return await query.release(at, null);
    case 'release-partition':
      return await query.release(at, [command.partition]);
  }
}

/** The model after the command, or that a client is refused. */
function step(model: Model, command: Command): Model | 'refused' {
  const { collection: name, partition, other, kind } = command;
  const at = model[name];
  const metric = command.dim === 4 ? 'L2' : 'IP';
  if (kind === 'create') {
    if (at !== undefined) return at.dim === command.dim ? model : 'refused';
    const made = { dim: command.dim, partitions: ['_default'], index: null, loaded: [], wholly: false };
    return { ...model, [name]: made };
  }
  if (kind === 'drop') return without(model, name);
  if (kind === 'rename') {
    if (model[other] !== undefined || at === undefined) return 'refused';
    return { ...without(model, name), [other]: at };
  }
  if (at === undefined) return 'refused';
  const put = (change: Partial<ModelCollection>): Model => ({ ...model, [name]: { ...at, ...change } });
  const known = at.partitions.includes(partition);
  switch (kind) {
    case 'create-partition':
      if (known) return model;
      return put({
        partitions: [...at.partitions, partition],
        loaded: at.wholly ? [...at.loaded, partition] : at.loaded,
      });
    case 'drop-partition':
      if (partition === '_default' || at.loaded.includes(partition)) return 'refused';
      return put({ partitions: at.partitions.filter((each) => each !== partition) });
    case 'index':
      return at.index === null || at.index === metric ? put({ index: metric }) : 'refused';
    case 'drop-index':
      return at.index !== null && at.loaded.length > 0 ? 'refused' : put({ index: null });
    case 'load':
      return at.index === null ? 'refused' : put({ loaded: at.partitions, wholly: true });
    case 'load-partition': {
      if (!known || at.index === null) return 'refused';
      return put({ loaded: at.partitions.filter((each) => at.loaded.includes(each) || each === partition) });
    }
    case 'release':
      return put({ loaded: [], wholly: false });
    case 'release-partition': {
      if (!known) return 'refused';
      const loaded = at.loaded.filter((each) => each !== partition);
      return put({ loaded, wholly: at.wholly && loaded.length > 0 });
    }
  }
}

function without(model: Model, name: string): Model {
  const { [name]: _, ...rest } = model;
  return rest;
}

/** The model that a reader of the deployment would write down. */
async function observe({ root, index, query, catalog }: Deployment): Promise<Model> {
  const model: Record<string, ModelCollection> = {};
  for (const collection of await root.listCollections('default')) {
    const loaded: string[] = [];
    for (const { name } of collection.partitions) {
      if ((await query.loadState(ref(collection.name), [name])) === 'loaded') loaded.push(name);
    }
    const vector = collection.schema.fields[1]!;
    model[collection.name] = {
      dim: vector.dim!,
      partitions: collection.partitions.map(({ name }) => name),
      index: (await index.vectorIndex(collection.id, vector.id))?.metricType ?? null,
      loaded,
      wholly: catalog.loadOf(collection.id)?.scope.kind === 'collection',
    };
  }
  return model;
}

function assertChannelsMatch({ catalog, streaming }: Deployment): void {
  const known = new Map(catalog.collections().map((collection) => [collection.id, collection]));
  assert.deepEqual(new Set(streaming.collections.keys()), new Set(known.keys()));
  for (const [id, told] of streaming.collections) assert.equal(told.name, known.get(id)?.name);
}
