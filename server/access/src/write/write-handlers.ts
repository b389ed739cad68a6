import type { AccessDependencies, Handlers } from '../handler.ts';
import { deleteHandler } from './delete.ts';
import { insertHandler, upsertHandler } from './insert.ts';

/** Everything that changes rows. */
export function writeHandlers(dependencies: AccessDependencies): Handlers {
  return {
    Insert: insertHandler(dependencies),
    Upsert: upsertHandler(dependencies),
    Delete: deleteHandler(dependencies),
  };
}
