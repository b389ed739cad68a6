import { globSync, readFileSync } from 'node:fs';

export interface SourceFile {
  /** From the root of the workspace, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** What is wrong, where, and the better way. */
export interface Problem {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

const FOLDERS = '{foundation,storage,engine,server,clients,tests,bench,examples,tools}';

/** Every TypeScript file that somebody wrote. */
export function sourceFiles(): SourceFile[] {
  return globSync(`${FOLDERS}/**/*.ts`, {
    exclude: (path) => /(^|\/)(node_modules|generated|build)(\/|$)/.test(path),
  })
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Prints the problems and sets the exit code. */
export function report(problems: readonly Problem[], what: string): void {
  for (const { path, line, message } of problems) console.error(`${path}:${line}: ${message}`);
  if (problems.length > 0) process.exitCode = 1;
  console.log(problems.length === 0 ? `${what}: no problems` : `${what}: ${problems.length} problems`);
}
