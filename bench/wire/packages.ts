/** The Debian packages: their descriptions, vectors and the questions about them (shared/data/debian-packages). */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const PACKAGES = resolve(
  process.env.ELANUS_PACKAGES ?? join(import.meta.dirname, '../../../shared/data/debian-packages'),
);
export const PACKAGE_DIM = 384;

export interface Package {
  readonly description: string;
  readonly source: string;
}

export interface Question {
  readonly text: string;
}

/** Whether the packages are here; says so when they are not. */
export function havePackages(section: string): boolean {
  const isHere = existsSync(join(PACKAGES, 'packages.jsonl.gz'));
  if (!isHere)
    console.error(`${section} is left out: there are no packages in ${PACKAGES} (ELANUS_PACKAGES)`);
  return isHere;
}

export function readPackages(): readonly Package[] {
  return jsonLines(gunzipSync(readFileSync(join(PACKAGES, 'packages.jsonl.gz'))));
}

export function readQuestions(): readonly Question[] {
  return jsonLines(readFileSync(join(PACKAGES, 'queries.jsonl')));
}

/** Of the first `count` packages, `PACKAGE_DIM` floats each. */
export function readPackageVectors(count: number): Float32Array {
  const { buffer, byteOffset } = readFileSync(join(PACKAGES, 'vectors.f16'));
  return Float32Array.from(new Float16Array(buffer.slice(byteOffset), 0, count * PACKAGE_DIM));
}

/** Of all questions, `PACKAGE_DIM` floats each. */
export function readQuestionVectors(): Float32Array {
  const { buffer, byteOffset } = readFileSync(join(PACKAGES, 'queries.f32'));
  return new Float32Array(buffer.slice(byteOffset));
}

function jsonLines<Line>(bytes: Buffer): readonly Line[] {
  const lines = bytes.toString().trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}
