/** What the example loads: the Debian packages (whole, or the slice in this folder), or a reader's own JSON lines. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

export type Row = Readonly<Record<string, unknown>>;

/** One field as `createCollection` of the official SDK takes it. */
export interface FieldDeclaration {
  readonly name: string;
  readonly data_type: string;
  readonly is_primary_key?: boolean;
  readonly nullable?: boolean;
  readonly max_length?: number;
  readonly max_capacity?: number;
  readonly element_type?: string;
  readonly dim?: number;
}

export interface Query {
  readonly text: string;
  readonly vector: readonly number[];
  /** The scores of the exact best rows, best first; `null` when nobody has computed them. */
  readonly bestScores: Float32Array | null;
}

export interface DataSet {
  readonly origin: string;
  readonly fields: readonly FieldDeclaration[];
  readonly vectorField: string;
  readonly metric: 'IP' | 'COSINE';
  readonly rowCount: number;
  /** Rows `start .. end`, each with its vector. */
  rows(start: number, end: number): Row[];
  readonly queries: readonly Query[];
  /** One line about a row, for people. */
  describe(row: Row): string;
}

const VECTOR_DIMENSIONS = 384;
const TRUTH_PER_QUERY = 100;
const SLICE = join(import.meta.dirname, 'slice');

const PACKAGE_FIELDS: readonly FieldDeclaration[] = [
  { name: 'id', data_type: 'Int64', is_primary_key: true },
  { name: 'name', data_type: 'VarChar', max_length: 100 },
  { name: 'source', data_type: 'VarChar', max_length: 100 },
  { name: 'version', data_type: 'VarChar', max_length: 100 },
  { name: 'section', data_type: 'VarChar', max_length: 50 },
  { name: 'priority', data_type: 'VarChar', max_length: 20 },
  { name: 'architecture', data_type: 'VarChar', max_length: 20 },
  { name: 'installed_size', data_type: 'Int32' },
  { name: 'depends_count', data_type: 'Int32' },
  { name: 'maintainer', data_type: 'VarChar', max_length: 100 },
  { name: 'homepage', data_type: 'VarChar', max_length: 300, nullable: true },
  { name: 'tags', data_type: 'Array', element_type: 'VarChar', max_capacity: 100, max_length: 100 },
  { name: 'summary', data_type: 'VarChar', max_length: 500 },
  { name: 'description', data_type: 'VarChar', max_length: 65_535 },
  { name: 'embedding', data_type: 'FloatVector', dim: VECTOR_DIMENSIONS },
];

/**
 * The full set where `ELANUS_PACKAGES` points or, beside the checkout, in `shared/data/debian-packages`;
 * without it the slice of 2,000 rows, after saying where it looked.
 */
export function loadPackages(say: (line: string) => void): DataSet {
  const named = process.env.ELANUS_PACKAGES;
  const full = resolve(named ?? join(import.meta.dirname, '../../../shared/data/debian-packages'));
  if (existsSync(join(full, 'packages.jsonl.gz'))) return packagesIn(full, `${full} (the full set)`);
  say(`No full data set in ${full} (ELANUS_PACKAGES names another folder): using the slice of 2,000 rows.`);
  return packagesIn(SLICE, 'the slice of 2,000 rows in examples/packages/slice');
}

function packagesIn(folder: string, origin: string): DataSet {
  const records = jsonLines(join(folder, 'packages.jsonl.gz'));
  const vectors = new Float16Array(rawBytes(join(folder, 'vectors.f16')));
  const queryVectors = new Float32Array(rawBytes(join(folder, 'queries.f32')));
  const truth = new Float32Array(rawBytes(join(folder, 'groundtruth-scores.f32')));
  const queries = jsonLines(join(folder, 'queries.jsonl')).map((query, at) => ({
    text: String(query.text),
    vector: Array.from(queryVectors.subarray(at * VECTOR_DIMENSIONS, (at + 1) * VECTOR_DIMENSIONS)),
    bestScores: truth.subarray(at * TRUTH_PER_QUERY, (at + 1) * TRUTH_PER_QUERY),
  }));
  return {
    origin,
    fields: PACKAGE_FIELDS,
    vectorField: 'embedding',
    metric: 'IP',
    rowCount: records.length,
    rows: (start, end) =>
      records.slice(start, end).map((record, at) => {
        const from = (start + at) * VECTOR_DIMENSIONS;
        return { ...record, embedding: Array.from(vectors.subarray(from, from + VECTOR_DIMENSIONS)) };
      }),
    queries,
    describe: (row) => `${row.name} — ${row.summary}`,
  };
}

/**
 * A reader's own file: one JSON object a line (gzip allowed), each with an array of numbers as its vector.
 * The first row decides the fields; a key called `id` is the primary key, otherwise rows are numbered.
 * The first ten rows serve as queries, compared with an exact scan made here.
 */
export function loadJsonLines(file: string): DataSet {
  const records = jsonLines(file);
  const first = records[0];
  if (!first) throw new Error(`${file} holds no row`);
  const vectorField = Object.keys(first).find((key) => isVector(first[key]));
  if (!vectorField)
    throw new Error(`the first row of ${file} holds no array of numbers to serve as its vector`);
  const declared = Object.keys(first).flatMap((key) => declarationOf(key, first[key], vectorField));
  const numbered = !declared.some((field) => field.is_primary_key);
  const fields = numbered
    ? [{ name: 'id', data_type: 'Int64', is_primary_key: true }, ...declared]
    : declared;
  const row = (at: number): Row => (numbered ? { id: at, ...records[at] } : records[at]!);
  const vectorAt = (at: number) => records[at]![vectorField] as readonly number[];
  return {
    origin: file,
    fields,
    vectorField,
    metric: 'COSINE',
    rowCount: records.length,
    rows: (start, end) =>
      Array.from({ length: Math.min(end, records.length) - start }, (_, at) => row(start + at)),
    queries: records.slice(0, 10).map((_, at) => ({
      text: `row ${at + 1}`,
      vector: vectorAt(at),
      bestScores: exactScores(
        vectorAt(at),
        records.map((other) => other[vectorField] as readonly number[]),
      ),
    })),
    describe: (found) =>
      JSON.stringify(Object.fromEntries(Object.entries(found).filter(([key]) => key !== vectorField))).slice(
        0,
        120,
      ),
  };
}

function declarationOf(name: string, value: unknown, vectorField: string): FieldDeclaration[] {
  if (name === vectorField) return [{ name, data_type: 'FloatVector', dim: (value as unknown[]).length }];
  if (name === 'id' && Number.isSafeInteger(value))
    return [{ name, data_type: 'Int64', is_primary_key: true }];
  if (name === 'id' && typeof value === 'string') {
    return [{ name, data_type: 'VarChar', max_length: 65_535, is_primary_key: true }];
  }
  if (typeof value === 'string') return [{ name, data_type: 'VarChar', max_length: 65_535, nullable: true }];
  if (typeof value === 'number') return [{ name, data_type: 'Double', nullable: true }];
  if (typeof value === 'boolean') return [{ name, data_type: 'Bool', nullable: true }];
  return []; // Everything else lives in the dynamic field.
}

function isVector(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 2 && value.every((element) => typeof element === 'number');
}

function exactScores(query: readonly number[], vectors: readonly (readonly number[])[]): Float32Array {
  const lengthOf = (vector: readonly number[]) => Math.hypot(...vector) || 1;
  const dot = (left: readonly number[], right: readonly number[]) =>
    left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
  const scores = vectors.map((vector) => dot(query, vector) / (lengthOf(query) * lengthOf(vector)));
  return Float32Array.from(scores.sort((left, right) => right - left).slice(0, TRUTH_PER_QUERY));
}

function jsonLines(file: string): Row[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Row]));
}

function rawBytes(file: string): ArrayBuffer {
  return new Uint8Array(readFileSync(file)).buffer;
}
