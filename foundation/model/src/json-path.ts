import { invalidParameter } from './error.ts';
import { DYNAMIC_FIELD_NAME, type FieldSchema } from './schema.ts';

/** One `["key"]`, `['key']` or `[0]`. */
const STEP = /\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+))\]/y;
const NAME = /^(?:\$meta|[A-Za-z_][A-Za-z0-9_]*)/;

/**
 * The steps of a path such as `doc["a"]["b"]` below `field`, `[]` for the whole field. The first name
 * of a path into `$meta` may be left out, as in a filter: `color` is `$meta["color"]`.
 * @throws MilvusError 1100 when `path` is no path or begins with another field
 */
export function parseJsonPath(path: string, field: FieldSchema): readonly string[] {
  const name = NAME.exec(path)?.[0];
  if (name === undefined) throw invalidPath(path);
  const steps = parseSteps(path, name.length);
  if (name === field.name) return steps;
  if (field.name === DYNAMIC_FIELD_NAME) return [name, ...steps];
  throw invalidPath(path);
}

/** `/a/b`, which names of indexes end in. */
export function formatJsonPath(steps: readonly string[]): string {
  return steps.map((step) => `/${step}`).join('');
}

function parseSteps(path: string, from: number): string[] {
  const steps: string[] = [];
  STEP.lastIndex = from;
  while (STEP.lastIndex < path.length) {
    const step = STEP.exec(path);
    if (step === null) throw invalidPath(path);
    steps.push(step[1] ?? step[2] ?? step[3]!);
  }
  return steps;
}

function invalidPath(path: string) {
  return invalidParameter(`cannot parse json path: ${path}`);
}
