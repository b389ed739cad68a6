import assert from 'node:assert/strict';
import test from 'node:test';
import { ConsistencyLevel, DataType, MilvusError } from '@elanus/model';
import fc from 'fast-check';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { field, schemaOf } from '../testing/schema-fixture.ts';
import type { CommitFault } from '../testing/unreliable-meta-store.ts';

/** Collections by the command that made them: what a name leads to shows in the collection's description. */
interface ModelDatabase {
  readonly collections: Readonly<Record<string, string>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly note: string | null;
}
type Model = Readonly<Record<string, ModelDatabase>>;

const DATABASES = ['default', 'd', 'e'];
const NAMES = ['a', 'b', 'c'];
const EMPTY: ModelDatabase = { collections: {}, aliases: {}, note: null };

interface Command {
  readonly kind:
    | 'create-database'
    | 'drop-database'
    | 'alter-database'
    | 'create'
    | 'drop'
    | 'rename'
    | 'create-alias'
    | 'alter-alias'
    | 'drop-alias';
  readonly database: string;
  readonly name: string;
  readonly other: string;
  readonly otherDatabase: string;
  readonly fault: CommitFault | null;
}

const commands = fc.array(
  fc.record<Command>({
    kind: fc.constantFrom(
      'create-database',
      'create-database',
      'drop-database',
      'alter-database',
      'create',
      'create',
      'create',
      'drop',
      'rename',
      'create-alias',
      'create-alias',
      'alter-alias',
      'drop-alias',
    ),
    database: fc.constantFrom('default', ...DATABASES),
    name: fc.constantFrom(...NAMES),
    other: fc.constantFrom(...NAMES),
    otherDatabase: fc.constantFrom(...DATABASES),
    fault: fc.constantFrom(null, null, null, 'refused', 'crash before', 'crash after'),
  }),
  { maxLength: 40 },
);

test('any sequence of changes of names, refusals and crashes leaves what a simple model says', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (plan) => {
      let deployment = await openDeployment();
      let model: Model = { default: EMPTY };
      for (const [at, command] of plan.entries()) {
        const birth = `made by command ${at}`;
        const expected = step(model, command, birth);
        const { failure, committed } = await attempt(deployment, command, birth);
        if (expected === 'refused') assert.ok(failure instanceof MilvusError, `${command.kind}: ${failure}`);
        else if (failure === null || committed) model = expected;
        if (deployment.store.crashed)
          deployment = await openDeployment({ store: deployment.store.restart() });
        assert.deepEqual(await observe(deployment), model);
        await assertNamesLead(deployment, model);
      }
      await deployment.oracle.close();
    }),
    { numRuns: 150 },
  );
});

/** Runs the command under its fault; `committed` when its change became durable although it failed. */
async function attempt(deployment: Deployment, command: Command, birth: string) {
  const { store } = deployment;
  store.failNext(command.fault, changedKeys(command));
  try {
    await run(deployment, command, birth);
    return { failure: null, committed: true };
  } catch (failure) {
    return { failure, committed: store.crashed && command.fault === 'crash after' };
  } finally {
    if (!store.crashed) store.failNext(null);
  }
}

/** Where the command's own transaction writes; reserving ids is another one. */
function changedKeys({ kind }: Command): string {
  if (kind.endsWith('database')) return 'catalog/database/';
  return kind.endsWith('alias') ? 'catalog/alias/' : 'catalog/collection/';
}

async function run({ root }: Deployment, command: Command, birth: string): Promise<unknown> {
  const { database, name, other, otherDatabase } = command;
  const ref = { database, collection: name };
  switch (command.kind) {
    case 'create-database':
      return await root.createDatabase(database, []);
    case 'drop-database':
      return await root.dropDatabase(database);
    case 'alter-database':
      return await root.alterDatabase(database, { set: [{ key: 'note', value: birth }], remove: [] });
    case 'create': {
      const schema = schemaOf(name, [field('vector', DataType.FloatVector, { dim: 4 })]);
      return await root.createCollection({
        database,
        schema: { ...schema, description: birth },
        shardsNum: 1,
        partitionsNum: 1,
        consistencyLevel: ConsistencyLevel.Bounded,
        properties: [],
      });
    }
    case 'drop':
      return await root.dropCollection(ref);
    case 'rename':
      return await root.renameCollection(ref, { database: otherDatabase, collection: other });
    case 'create-alias':
      return await root.createAlias(ref, other);
    case 'alter-alias':
      return await root.alterAlias(ref, other);
    case 'drop-alias':
      return await root.dropAlias(database, other);
  }
}

/** The model after the command, or that a client is refused. */
function step(model: Model, command: Command, birth: string): Model | 'refused' {
  const { kind, database, name, other, otherDatabase } = command;
  const at = model[database];
  if (kind === 'create-database') return at === undefined ? { ...model, [database]: EMPTY } : 'refused';
  if (at === undefined) return kind === 'drop-database' || kind === 'drop' ? model : 'refused';
  const put = (change: Partial<ModelDatabase>): Model => ({ ...model, [database]: { ...at, ...change } });
  const target = at.collections[name];
  const isAliased = target !== undefined && Object.values(at.aliases).includes(target);
  switch (kind) {
    case 'drop-database':
      return database === 'default' || Object.keys(at.collections).length > 0
        ? 'refused'
        : without(model, database);
    case 'alter-database':
      return put({ note: birth });
    case 'create':
      return name in at.collections || name in at.aliases
        ? 'refused'
        : put({ collections: { ...at.collections, [name]: birth } });
    case 'drop':
      if (name in at.aliases || isAliased) return 'refused';
      return put({ collections: without(at.collections, name) });
    case 'rename': {
      const to = model[otherDatabase];
      if (to === undefined || target === undefined || other in to.collections || other in to.aliases)
        return 'refused';
      if (database !== otherDatabase && isAliased) return 'refused';
      const left = { ...model, [database]: { ...at, collections: without(at.collections, name) } };
      const into = left[otherDatabase]!;
      return {
        ...left,
        [otherDatabase]: { ...into, collections: { ...into.collections, [other]: target } },
      };
    }
    case 'create-alias':
    case 'alter-alias': {
      if (other in at.collections || target === undefined) return 'refused';
      const stands = at.aliases[other];
      const fits = kind === 'create-alias' ? stands === undefined || stands === target : stands !== undefined;
      return fits ? put({ aliases: { ...at.aliases, [other]: target } }) : 'refused';
    }
    case 'drop-alias':
      return put({ aliases: without(at.aliases, other) });
  }
}

function without<Value>(record: Readonly<Record<string, Value>>, name: string): Record<string, Value> {
  const { [name]: _, ...rest } = record;
  return rest;
}

/** The model that a reader of the deployment would write down. */
async function observe({ root }: Deployment): Promise<Model> {
  const model: Record<string, ModelDatabase> = {};
  for (const { name: database, properties } of await root.listDatabases()) {
    const collections = (await root.listCollections(database)).map(
      ({ name, schema }) => [name, schema.description] as const,
    );
    const aliases: [string, string][] = [];
    for (const alias of await root.listAliases(database)) {
      aliases.push([alias, (await root.describeAlias(database, alias)).schema.description]);
    }
    model[database] = {
      collections: Object.fromEntries(collections),
      aliases: Object.fromEntries(aliases),
      note: properties[0]?.value ?? null,
    };
  }
  return model;
}

/** Every name leads to its collection, its own or an alias, and to nothing where there is none. */
async function assertNamesLead({ root }: Deployment, model: Model): Promise<void> {
  for (const database of DATABASES) {
    for (const collection of NAMES) {
      const at = model[database];
      const expected = at?.collections[collection] ?? at?.aliases[collection];
      const found = await root.describeCollection({ database, collection }).catch(() => undefined);
      assert.equal(found?.schema.description, expected, `${database}.${collection}`);
      if (found === undefined) continue;
      assert.equal(found.databaseName, database);
      const aliases = Object.entries(at!.aliases).filter(([, target]) => target === expected);
      assert.deepEqual(await root.aliasesOf(found.id), aliases.map(([alias]) => alias).sort());
    }
  }
}
