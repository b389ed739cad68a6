import type { AccessDependencies, Handlers } from '../handler.ts';
import { functionHandlers } from './function-handlers.ts';
import { runAnalyzerHandler } from './run-analyzer.ts';

/** What clients ask about texts alone, and about the functions of schemas. */
export function textHandlers(dependencies: AccessDependencies): Handlers {
  return { RunAnalyzer: runAnalyzerHandler(dependencies), ...functionHandlers(dependencies) };
}
