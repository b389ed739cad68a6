import { admitting } from './admission.ts';
import { definitionHandlers } from './definition/definition-handlers.ts';
import type { AccessDependencies, Handlers } from './handler.ts';
import { importHandlers } from './import/import-handlers.ts';
import { readHandlers } from './read/read-handlers.ts';
import { textHandlers } from './text/text-handlers.ts';
import { AccessServer } from './transport/access-server.ts';
import { writeHandlers } from './write/write-handlers.ts';

/** Every method that is served. */
export function accessHandlers(dependencies: AccessDependencies): Handlers {
  const handlers: Handlers = {
    ...definitionHandlers(dependencies),
    ...readHandlers(dependencies),
    ...textHandlers(dependencies),
    ...writeHandlers(dependencies),
    ...(dependencies.importing === undefined ? {} : importHandlers(dependencies, dependencies.importing)),
  };
  return admitting(handlers, dependencies);
}

/**
 * Serves MilvusService and HTTP/1.1 over coordinators and workers, until the returned server is closed.
 * @throws NodeJS.ErrnoException when the address can't be had
 */
export function startAccess(
  dependencies: AccessDependencies,
  address: { readonly host: string; readonly port: number },
): Promise<AccessServer> {
  const { exportService: service, ...rest } = dependencies;
  const exporting = service === undefined ? undefined : { ...rest, service };
  return AccessServer.start({ ...rest, ...address, exporting, handlers: accessHandlers(dependencies) });
}
