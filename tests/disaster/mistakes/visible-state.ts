import { type Draft, encode, type MethodName, type Methods } from '@elanus/proto';
import { methodNamed, type WireConnection } from './wire-connection.ts';

const STRONG = 0;
/** Every field of every row; what is not loaded is told by its status. */
const ALL_ROWS = {
  outputFields: ['*'],
  consistencyLevel: STRONG,
  queryParams: [{ key: 'limit', value: '1000' }],
};
/** Members that say when the question was asked, not what there is. */
const TIMES_OF_ASKING = new Set(['requestTime']);

/** Everything that a client can see of a server: what there is, how it is defined, what is loaded, every row. */
export interface VisibleState {
  /** Rows of each collection, by its name. */
  readonly rowCounts: Readonly<Record<string, string>>;
  /** Everything else, as it was answered. */
  readonly answers: unknown;
}

/** Asks for it, in every database. What is asked stands beside each answer, so that a difference explains itself. */
export async function visibleState(wire: WireConnection): Promise<VisibleState> {
  const databases = await wire.ask('ListDatabases', new Uint8Array());
  const states: DatabaseState[] = [];
  for (const database of databases.dbNames) states.push(await databaseState(wire, database));
  const ofDefault = states[databases.dbNames.indexOf('default')]!;
  const rowCounts = Object.entries(ofDefault.collections).map(([name, { statistics }]) => [
    name,
    statistics.stats[0]?.value ?? '',
  ]);
  return { rowCounts: Object.fromEntries(rowCounts), answers: plain({ databases, states }) };
}

type DatabaseState = Awaited<ReturnType<typeof databaseState>>;

async function databaseState(wire: WireConnection, database: string) {
  const ask = async <Name extends MethodName>(name: Name, draft: Draft<Methods[Name]['request']>) =>
    await wire.ask(name, encode(methodNamed(name).request, draft as never), database);
  const { aliases } = await ask('ListAliases', {});
  const shown = await ask('ShowCollections', {});
  const entries = shown.collectionNames.map(async (collectionName) => {
    const named = { collectionName };
    const partitions = await ask('ShowPartitions', named);
    const ofPartitions = partitions.partitionNames.map(async (partitionName) => [
      partitionName,
      await ask('GetPartitionStatistics', { ...named, partitionName }),
      await ask('GetLoadState', { ...named, partitionNames: [partitionName] }),
    ]);
    return [
      collectionName,
      {
        description: await ask('DescribeCollection', named),
        statistics: await ask('GetCollectionStatistics', named),
        indexes: await ask('DescribeIndex', named),
        load: await ask('GetLoadState', named),
        replicas: await ask('GetReplicas', named),
        partitions,
        ofPartitions: await Promise.all(ofPartitions),
        rows: await ask('Query', { ...named, ...ALL_ROWS }),
      },
    ] as const;
  });
  return {
    description: await ask('DescribeDatabase', {}),
    aliases: await Promise.all(aliases.map(async (alias) => await ask('DescribeAlias', { alias }))),
    shown,
    collections: Object.fromEntries(await Promise.all(entries)),
  };
}

/** With bytes as hexadecimal text, so that a difference can be read. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !TIMES_OF_ASKING.has(name));
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}
