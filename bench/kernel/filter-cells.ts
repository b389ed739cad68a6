/** The bitmaps of the filtered measurements, made by `peers/make_filters.py` on first use. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../python.ts';
import { bytesOf, type DataSet } from './data-set.ts';
import type { FilterCell } from './subject.ts';

/** Which rows a cell allows: see `peers/make_filters.py`. */
export type FilterKind = 'random' | 'far' | 'near' | 'farthest';

export interface NamedCell extends FilterCell {
  readonly name: string;
  readonly kind: FilterKind;
  /** The score of the 10th best allowed row of each query. */
  readonly kthScores: Float32Array;
}

/** The cells of a data set with float32 rows; makes them before, with a `python` that has numpy. */
export function filterCells(data: DataSet, python: string): readonly NamedCell[] {
  const folder = join(CACHE, 'bench-kernel/filters', data.name);
  const file = join(folder, 'cells.json');
  const script = join(import.meta.dirname, 'peers/make_filters.py');
  if (!existsSync(file) || statSync(file).mtimeMs < statSync(script).mtimeMs)
    execFileSync(python, [script, data.folder, folder], { stdio: 'inherit' });
  const cells = JSON.parse(readFileSync(file, 'utf8')) as readonly Omit<NamedCell, 'allowed' | 'kthScores'>[];
  return cells.map(({ name, kind, shared, queries }) => ({
    name,
    kind,
    shared,
    queries,
    allowed: join(folder, `${name}.bits`),
    kthScores: new Float32Array(bytesOf(join(folder, `${name}.kth`)).buffer),
  }));
}
