import type { IndexedRows } from './indexed-collection.ts';
import type { Line } from './measure.ts';
import type { Request } from './messages.ts';

export const GRAPH = { M: 16, efConstruction: 200 } as const;
export const LIMIT = 10;

/** A server whose searches are measured, in whatever it speaks. */
export interface SearchSubject {
  /** A connection. */
  open(): Promise<Line>;
  /** A graph with the parameters of `GRAPH` over these rows, and nothing else to do. */
  fill(line: Line, rows: IndexedRows): Promise<void>;
  /** Has the searches that follow on these connections keep so many rows in view. */
  useEf(lines: readonly Line[], ef: number): Promise<void>;
  /** The `LIMIT` nearest of each query among rows whose number is less than `below`; `null`: among all. */
  requestOf(queries: Float32Array, ef: number, below: number | null): Request;
  /** Of the only query. */
  idsOf(answer: Buffer): readonly number[];
  /** Whether several queries go into one request. */
  readonly takesBatches: boolean;
  drop(line: Line): Promise<void>;
}
