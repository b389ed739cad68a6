import type { AccessDependencies, Handlers } from '../handler.ts';
import { aliasHandlers } from './alias-handlers.ts';
import { collectionHandlers } from './collection-handlers.ts';
import { compactionHandlers } from './compaction-handlers.ts';
import { connectionHandlers } from './connection-handlers.ts';
import { databaseHandlers } from './database-handlers.ts';
import { flushHandlers } from './flush-handlers.ts';
import { indexHandlers } from './index-handlers.ts';
import { loadHandlers } from './load-handlers.ts';
import { partitionHandlers } from './partition-handlers.ts';
import { schemaHandlers } from './schema-handlers.ts';
import { segmentHandlers } from './segment-handlers.ts';

/** Everything that defines what there is: all methods that neither write nor read rows. */
export function definitionHandlers(dependencies: AccessDependencies): Handlers {
  return {
    ...connectionHandlers(dependencies),
    ...databaseHandlers(dependencies),
    ...collectionHandlers(dependencies),
    ...schemaHandlers(dependencies),
    ...aliasHandlers(dependencies),
    ...partitionHandlers(dependencies),
    ...indexHandlers(dependencies),
    ...loadHandlers(dependencies),
    ...flushHandlers(dependencies),
    ...compactionHandlers(dependencies),
    ...segmentHandlers(dependencies),
  };
}
