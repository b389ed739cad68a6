/** The data sets of the kernel's benchmark, made by `peers/make_data.py` on first use. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MetricType } from '@elanus/model';
import { CACHE } from '../python.ts';

export const DATA_SETS = ['l2-128', 'cosine-768', 'packages'] as const;
/** Of 512 bits: the signs of random projections of vectors like those of `l2-128`. */
export const BINARY_DATA = 'hamming-512';
export type DataSetName = (typeof DATA_SETS)[number] | typeof BINARY_DATA;

export const ELEMENTS = ['float32', 'float16', 'bfloat16', 'int8'] as const;
export type Element = (typeof ELEMENTS)[number] | 'bits';

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<Element, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  bits: 1 / 8,
};

/** What lies in `shape.json` beside the vectors. */
export interface DataShape {
  readonly rows: number;
  readonly dim: number;
  readonly metric: MetricType;
  readonly element: Element;
  readonly queries: number;
  /** Best scores kept for each query. */
  readonly truth: number;
}

export interface DataSet {
  readonly name: DataSetName;
  readonly folder: string;
  readonly shape: DataShape;
  /** Row-major, as they are stored. */
  readonly base: Uint8Array<ArrayBuffer>;
  readonly queries: Uint8Array<ArrayBuffer>;
  /** The score of each query's best row, of its second, … up to `shape.truth`; query after query. */
  readonly truth: Float32Array;
}

/**
 * Where the packages lie: the folder that `ELANUS_PACKAGES` names, or `shared/data/debian-packages` beside the
 * checkout.
 */
const PACKAGES = resolve(
  process.env.ELANUS_PACKAGES ?? join(import.meta.dirname, '../../../shared/data/debian-packages'),
);

/** Reads a data set; makes it before, which takes some seconds, with a `python` that has numpy. */
export function loadDataSet(python: string, name: DataSetName, element: Element = 'float32'): DataSet {
  const folder = join(CACHE, 'bench-kernel/data', `${name}-${element}`);
  if (!existsSync(join(folder, 'shape.json'))) {
    const script = join(import.meta.dirname, 'peers/make_data.py');
    execFileSync(python, [script, name, element, folder, PACKAGES], { stdio: 'inherit' });
  }
  return { name, folder, ...readDataFolder(folder) };
}

/** What `make_data.py` wrote into `folder`. */
export function readDataFolder(folder: string): Omit<DataSet, 'name' | 'folder'> {
  const shape = JSON.parse(readFileSync(join(folder, 'shape.json'), 'utf8')) as DataShape;
  return {
    shape,
    base: bytesOf(join(folder, 'base')),
    queries: bytesOf(join(folder, 'queries')),
    truth: new Float32Array(bytesOf(join(folder, 'truth')).buffer),
  };
}

/** The bytes of a file in a buffer of their own, so that any typed array can look at them. */
export function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(file));
}
