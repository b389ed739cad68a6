import { fileName } from './local/file-name.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** S3 and GCS allow 1,024 bytes; the rest is for the prefix in the bucket. */
const KEY_BYTES_MAX = 800;
/** What file systems allow one name to have. */
const FILE_NAME_BYTES_MAX = 255;
/** XML, in which buckets list their keys, has no words for these; Azure takes a backslash for a slash. */
const UNSPEAKABLE = /[\p{Cc}\ufffe\uffff\\]/u;

/**
 * Keys that every store takes: 1 to 800 bytes of well-formed UTF-8 without control characters and backslashes; names with one `/`
 * between them, none empty, `.` or `..`, each of them at most 255 bytes as the name of a file.
 * @throws ObjectStoreError of kind `invalid`
 */
export function checkKey(key: string): void {
  if (!key.isWellFormed() || UNSPEAKABLE.test(key)) throw invalid(key, 'a key is plain text');
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > KEY_BYTES_MAX) throw invalid(key, `a key has 1 to ${KEY_BYTES_MAX} bytes`);
  for (const name of key.split('/')) {
    if (name === '' || name === '.' || name === '..') throw invalid(key, 'a key is made of names');
    if (fileName(name).length > FILE_NAME_BYTES_MAX) throw invalid(key, 'a name in the key is too long');
  }
}

/** A negative number when `left` comes before `right` in the order of lists, as UTF-8 bytes; 0 when they are equal. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function invalid(key: string, message: string): ObjectStoreError {
  return new ObjectStoreError('invalid', JSON.stringify(key.slice(0, 100)), message);
}
