import type { AccessDependencies, Handlers } from '../handler.ts';
import { fileResourceHandlers } from './file-resource-handlers.ts';
import { runAnalyzerHandler } from './run-analyzer.ts';

/** What clients ask about texts alone. */
export function textHandlers(dependencies: AccessDependencies): Handlers {
  return { RunAnalyzer: runAnalyzerHandler(dependencies), ...fileResourceHandlers(dependencies) };
}
