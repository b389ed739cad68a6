import { lineAt, type SourceFile } from './source-files.ts';

export interface Import {
  readonly from: string;
  /** Leaves no trace when types are stripped. */
  readonly typeOnly: boolean;
  readonly line: number;
}

const STATEMENT = /^[ \t]*(?:import|export)\b(\s+type\b)?(?:[^'";]*?\bfrom)?\s*'([^'\n]+)'/gm;
const CALL = /\bimport\(\s*'([^'\n]+)'\s*\)/g;

/** The import and re-export statements of a file, and its `import()` of literals. */
export function importsOf({ text }: SourceFile): Import[] {
  const statements = [...text.matchAll(STATEMENT)].map((match) => ({
    from: match[2]!,
    typeOnly: match[1] !== undefined,
    line: lineAt(text, match.index),
  }));
  const calls = [...text.matchAll(CALL)].map((match) => ({
    from: match[1]!,
    typeOnly: false,
    line: lineAt(text, match.index),
  }));
  return [...statements, ...calls];
}
