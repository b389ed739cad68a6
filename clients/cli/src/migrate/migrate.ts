import { writeFile } from 'node:fs/promises';
import { type CollectionCertificate, certify } from './certify.ts';
import { type Copy, copyDefinition, copyRows, load, type SourceCollection } from './copy-collection.ts';
import { CallRefused, MilvusClient } from './milvus-client.ts';
import { ProgressFile } from './progress-file.ts';

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
    for (const database of await databasesOf(source, options.database)) {
      await makeDatabase(target, database);
      for (const collection of await collectionsOf(source, database, options.collection))
        certificates.push(await migrateCollection(copy, collection));
    }
    if (options.certificate !== undefined)
      await writeFile(options.certificate, `${JSON.stringify(certificates, null, 2)}\n`);
    process.stdout.write(table(certificates));
    if (!certificates.every(({ isEqual }) => isEqual)) process.exitCode = 1;
  } catch (error) {
    const isTold =
      error instanceof CallRefused || typeof (error as { details?: unknown }).details === 'string';
    if (!isTold) throw error;
    process.stderr.write(`elanus: ${(error as Error).message}; the same command goes on from here\n`);
    process.exitCode = 1;
  }
}

/** The source is left as it was: what had to be loaded to be read is released again. */
async function migrateCollection(copy: Copy, collection: SourceCollection): Promise<CollectionCertificate> {
  const { source, target, say } = copy;
  const { collectionName, dbName, aliases } = collection;
  const database = dbName || 'default';
  say(`${database}/${collectionName}: definition`);
  await copyDefinition(copy, collection);
  const wasLoaded = await load(source, collection);
  try {
    await copyRows(copy, collection);
    const isNewlyLoaded = !(await load(target, collection));
    for (const alias of aliases) await target.call('CreateAlias', database, { collectionName, alias });
    say(`${database}/${collectionName}: comparing`);
    const certificate = await certify(source, target, collection);
    if (isNewlyLoaded && !wasLoaded) await target.call('ReleaseCollection', database, { collectionName });
    return certificate;
  } finally {
    if (!wasLoaded) await source.call('ReleaseCollection', database, { collectionName });
  }
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

async function makeDatabase(target: MilvusClient, database: string): Promise<void> {
  const { dbNames } = await target.call('ListDatabases', 'default', {});
  if (!dbNames.includes(database)) await target.call('CreateDatabase', database, { dbName: database });
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
      .map(([field, share]) => `${field} ${share.toFixed(2)}`)
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
