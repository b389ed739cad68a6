import { type KeyValue, quotaExceeded } from '@elanus/model';
import type { MethodName } from '@elanus/proto';
import type { AccessDependencies, CallContext, Handlers } from './handler.ts';

/** Groups of methods, each with the last part of the database property that forbids it. */
const GROUPS = {
  writing: ['Insert', 'Upsert', 'Delete', 'Import'],
  reading: ['Search', 'HybridSearch', 'Query'],
  collectionDDL: [
    'CreateCollection',
    'DropCollection',
    'RenameCollection',
    'LoadCollection',
    'ReleaseCollection',
    'CreateAlias',
    'AlterAlias',
    'DropAlias',
  ],
  partitionDDL: ['CreatePartition', 'DropPartition', 'LoadPartitions', 'ReleasePartitions'],
  index: ['CreateIndex', 'DropIndex'],
  flush: ['Flush', 'FlushAll'],
  compaction: ['ManualCompaction'],
} as const satisfies Readonly<Record<string, readonly MethodName[]>>;

const PREFIX = 'database.force.deny.';
const ALL_DEFINITIONS = `${PREFIX}ddl`;
const REASON = 'access has been disabled by the administrator';

type AnyHandler = (request: object, context: CallContext) => Promise<object>;

/**
 * The same handlers, which refuse with code 9 what the call's database forbids by its properties. Whether the
 * database exists is left to the handler.
 */
export function admitting(handlers: Handlers, { root }: Pick<AccessDependencies, 'root'>): Handlers {
  const admitted: Record<string, AnyHandler> = {};
  for (const [group, methods] of Object.entries(GROUPS)) {
    const isData = group === 'writing' || group === 'reading';
    const forbidding = isData ? [PREFIX + group] : [PREFIX + group, ALL_DEFINITIONS];
    for (const method of methods) {
      const handler = handlers[method] as AnyHandler | undefined;
      if (handler === undefined) continue;
      admitted[method] = async (request, context) => {
        const database = await root.findDatabase(context.database);
        if (database !== undefined && isForbidden(database.properties, forbidding))
          throw quotaExceeded(REASON);
        return await handler(request, context);
      };
    }
  }
  return { ...handlers, ...admitted } as Handlers;
}

function isForbidden(properties: readonly KeyValue[], forbidding: readonly string[]): boolean {
  return properties.some(({ key, value }) => forbidding.includes(key) && value.toLowerCase() === 'true');
}
