export { ExportService } from './export/export-service.ts';
export type { AccessDependencies, CallContext, Handler, Handlers } from './handler.ts';
export type { ImportDependencies } from './import/import-run.ts';
export { ImportService } from './import/import-service.ts';
export { type AccessLimits, DEFAULT_LIMITS } from './limits.ts';
export { accessHandlers, startAccess } from './start-access.ts';
export { openModels } from './text/open-models.ts';
export { AccessServer, type AccessServerOptions } from './transport/access-server.ts';
