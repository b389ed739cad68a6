import { writeFile } from 'node:fs/promises';
import { type CollectionCertificate, certify } from './certify.ts';
import { type Copy, copyDefinition, copyRows } from './copy-collection.ts';
import { CallRefused, MilvusClient } from './milvus-client.ts';
import { ProgressFile } from './progress-file.ts';
import { load, whileReadable } from './readable.ts';
import type { SourceCollection } from './source-collection.ts';

/** Properties of a database that keep everybody from writing to it. */
const DENIALS = 'database.force.deny.';

interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface MigrateOptions {
  readonly from: string;
  readonly to: string;
  /** Of the target. */
  readonly token?: string;
  readonly fromToken?: string;
  readonly database?: readonly string[];
  readonly collection?: readonly string[];
  /** Where a run that ends early leaves word of how far it was. */
  readonly progress: string;
  readonly certificate?: string;
}

/**
 * `elanus migrate`: copies databases, collections, partitions, indexes, aliases and rows, and compares both servers at the
 * end. Sets the exit code: 0 only when all is equal.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  using source = new MilvusClient(options.from, options.fromToken);
  using target = new MilvusClient(options.to, options.token);
  const progress = await ProgressFile.open(options.progress, options.from, options.to);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const copy: Copy = { source, target, progress, say };
  try {
    const certificates: CollectionCertificate[] = [];
    const failures: CollectionFailure[] = [];
    for (const database of await databasesOf(source, options.database)) {
      await makeDatabase(copy, database);
      for (const collection of await collectionsOf(source, database, options.collection))
        try {
          certificates.push(await migrateCollection(copy, collection));
        } catch (error) {
          if (!(error instanceof CallRefused)) throw error;
          const { collectionName } = collection;
          process.stderr.write(`elanus: ${database}/${collectionName}: ${error.message}\n`);
          failures.push({ database, collection: collectionName, isEqual: false, failure: error.message });
        }
    }
    if (options.certificate !== undefined)
      await writeFile(options.certificate, `${JSON.stringify([...certificates, ...failures], null, 2)}\n`);
    process.stdout.write(table(certificates));
    if (failures.length > 0 || !certificates.every(({ isEqual }) => isEqual)) process.exitCode = 1;
  } catch (error) {
    const isTold =
      error instanceof CallRefused || typeof (error as { details?: unknown }).details === 'string';
    if (!isTold) throw error;
    process.stderr.write(`elanus: ${(error as Error).message}; the same command goes on from here\n`);
    process.exitCode = 1;
  }
}

/** A collection that one of the servers does not let be copied; the others are. */
interface CollectionFailure {
  readonly database: string;
  readonly collection: string;
  readonly isEqual: false;
  readonly failure: string;
}

/** Both servers are left as the source was: what is not loaded there is loaded only to be read. */
async function migrateCollection(copy: Copy, collection: SourceCollection): Promise<CollectionCertificate> {
  const { source, target, progress, say } = copy;
  const { collectionName, dbName, aliases } = collection;
  const database = dbName || 'default';
  const place = `${database}/${collectionName}`;
  const { loaded } = progress;
  say(`${place}: definition`);
  await copyDefinition(copy, collection);
  return await whileReadable(source, collection, { loaded, place: `source ${place}` }, async (before) => {
    await copyRows(copy, collection);
    for (const alias of aliases) await target.call('CreateAlias', database, { collectionName, alias });
    say(`${place}: comparing`);
    if (before.wasLoaded) await load(target, collection);
    const compare = () => certify(source, target, collection);
    return await whileReadable(target, collection, { loaded, place: `target ${place}` }, compare);
  });
}

async function databasesOf(
  source: MilvusClient,
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (wanted !== undefined) return wanted;
  try {
    return [...(await source.call('ListDatabases', 'default', {})).dbNames].sort();
  } catch (error) {
    // Before 2.3 there was one.
    if (error instanceof CallRefused) return ['default'];
    throw error;
  }
}

async function makeDatabase({ source, target }: Copy, database: string): Promise<void> {
  const { dbNames } = await target.call('ListDatabases', 'default', {});
  if (dbNames.includes(database)) return;
  const properties = (await propertiesOf(source, database)).filter(({ key }) => !key.startsWith(DENIALS));
  await target.call('CreateDatabase', database, { dbName: database, properties: [...properties] });
}

async function propertiesOf(source: MilvusClient, database: string): Promise<readonly KeyValue[]> {
  try {
    return (await source.call('DescribeDatabase', database, { dbName: database })).properties;
  } catch (error) {
    // Before 2.4 they had none.
    if (error instanceof CallRefused) return [];
    throw error;
  }
}

async function collectionsOf(
  source: MilvusClient,
  database: string,
  wanted: readonly string[] | undefined,
): Promise<readonly SourceCollection[]> {
  const { collectionNames } = await source.call('ShowCollections', database, {});
  const names = collectionNames.filter((name) => wanted?.includes(name) ?? true).sort();
  const found: SourceCollection[] = [];
  for (const collectionName of names) {
    const described = await source.call('DescribeCollection', database, { collectionName });
    found.push({ ...described, collectionName, dbName: database });
  }
  return found;
}

const HEADINGS = [
  'collection',
  'counted',
  'counted here',
  'rows',
  'rows here',
  'checksum',
  'checksum here',
  'overlap',
  'equal',
];

function table(certificates: readonly CollectionCertificate[]): string {
  const lines = certificates.map(({ database, collection, counted, rows, checksum, overlap, isEqual }) => [
    `${database}/${collection}`,
    String(counted.source ?? '?'),
    String(counted.target ?? '?'),
    String(rows.source),
    String(rows.target),
    checksum.source,
    checksum.target,
    Object.entries(overlap)
      .map(([field, share]) => `${field} ${share?.toFixed(2) ?? '?'}`)
      .join(' '),
    isEqual ? 'yes' : 'no',
  ]);
  const all = [HEADINGS, ...lines];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
