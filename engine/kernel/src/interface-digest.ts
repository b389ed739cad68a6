import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '..');
const FOLDERS = ['include/elanus', 'src/binding'];
const FILES = ['src/index-words.ts', 'src/native.ts', 'src/search-words.ts'];

/**
 * A digest of what both sides of the native boundary agree on: which word of a request means what. Numbers and
 * addresses are all that crosses it, so a library that was built with other words would take one for another.
 */
export function interfaceDigest(): string {
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(PACKAGE, folder))
      .sort()
      .map((name) => join(folder, name)),
  );
  const hash = createHash('sha256');
  for (const path of [...sources, ...FILES]) hash.update(path).update(readFileSync(join(PACKAGE, path)));
  return hash.digest('hex');
}
