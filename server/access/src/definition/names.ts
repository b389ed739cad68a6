import { databaseNameInvalid, fieldNameInvalid, invalidParameter } from '@elanus/model';
import type { AccessLimits } from '../limits.ts';

type NameLimits = Pick<AccessLimits, 'nameBytesMax'>;

const LETTER_FIRST = /^[A-Za-z_]/;
const WORD = /^[A-Za-z0-9_]*$/;

/** Words of the filter language; each is one in lower and in upper case only. */
const KEYWORDS = [
  'and',
  'or',
  'not',
  'in',
  'like',
  'exists',
  'true',
  'false',
  'text_match',
  'phrase_match',
  'random_sample',
  'minimum_should_match',
  'json_contains',
  'json_contains_all',
  'json_contains_any',
  'array_contains',
  'array_contains_all',
  'array_contains_any',
  'array_length',
  'st_equals',
  'st_touches',
  'st_overlaps',
  'st_crosses',
  'st_contains',
  'st_intersects',
  'st_within',
  'st_dwithin',
  'st_isvalid',
  'interval',
  'iso',
];
const KEYWORD_SPELLINGS: ReadonlySet<string> = new Set([
  ...KEYWORDS.flatMap((word) => [word, word.toUpperCase()]),
  'True',
  'False',
]);

/** Names of columns that the server keeps for itself. */
export const SYSTEM_FIELD_NAMES: readonly string[] = [
  'RowID',
  'Timestamp',
  '$meta',
  '$namespace_id',
  '__virtual_pk__',
];

/** @throws MilvusError 1100 */
export function checkCollectionName(name: string, limits: NameLimits): void {
  checkNameOrAlias(name, 'collection name', limits);
}

/** @throws MilvusError 1100 */
export function checkAlias(name: string, limits: NameLimits): void {
  checkNameOrAlias(name, 'collection alias', limits);
}

function checkNameOrAlias(name: string, what: string, limits: NameLimits): void {
  if (name === '') throw invalidParameter(`${what} should not be empty`);
  const rule = brokenRule(name, what, limits);
  if (rule !== undefined) throw invalidParameter(`Invalid ${what}: ${name}. ${rule}`);
}

/** @throws MilvusError 802 */
export function checkDatabaseName(name: string, limits: NameLimits): void {
  if (name === '') throw databaseNameInvalid(name, "database name couldn't be empty");
  const rule = brokenRule(name, 'database name', limits);
  if (rule !== undefined) throw databaseNameInvalid(name, rule);
}

/** What is wrong with a name that is not empty, in Milvus' words; `undefined` when nothing is. */
function brokenRule(name: string, what: string, limits: NameLimits): string | undefined {
  if (isTooLong(name, limits)) {
    return `the length of a ${what} must be less than ${limits.nameBytesMax} characters`;
  }
  if (!LETTER_FIRST.test(name)) return `the first character of a ${what} must be an underscore or letter`;
  return WORD.test(name) ? undefined : `${what} can only contain numbers, letters and underscores`;
}

/** @throws MilvusError 1100 */
export function checkPartitionName(name: string, limits: NameLimits): void {
  const refuse = (rule: string) => invalidParameter(`Invalid partition name: ${name}. ${rule}`);
  if (name === '') throw refuse('Partition name should not be empty.');
  if (isTooLong(name, limits)) {
    throw refuse(`The length of a partition name must be less than ${limits.nameBytesMax} characters.`);
  }
  if (!/^[A-Za-z0-9_]/.test(name)) {
    throw refuse('The first character of a partition name must be an underscore or letter.');
  }
  if (!/^[A-Za-z0-9_-]*$/.test(name)) {
    throw refuse('Partition name can only contain numbers, letters and underscores.');
  }
}

/** Of a name that the client chose; an empty one asks for the default. @throws MilvusError 1100 */
export function checkIndexName(name: string, limits: NameLimits): void {
  if (name === '') return;
  const refuse = (rule: string) => invalidParameter(`Invalid index name: ${name}. ${rule}`);
  if (isTooLong(name, limits)) {
    throw refuse(`The length of a index name must be less than ${limits.nameBytesMax} characters.`);
  }
  if (!LETTER_FIRST.test(name))
    throw refuse('The first character of a index name must be an underscore or letter.');
  if (!WORD.test(name)) throw refuse('Index name can only contain numbers, letters, and underscores.');
}

/** @throws MilvusError 1701 */
export function checkFieldName(name: string, limits: NameLimits): void {
  if (name === '') throw fieldNameInvalid(name, 'field name should not be empty');
  const refuse = (rule: string) => fieldNameInvalid(name, `Invalid field name: ${name}. ${rule}`);
  if (isTooLong(name, limits)) {
    throw refuse(`The length of a field name must be less than ${limits.nameBytesMax} characters.`);
  }
  if (!LETTER_FIRST.test(name))
    throw refuse('The first character of a field name must be an underscore or letter.');
  if (!WORD.test(name)) throw refuse('Field name can only contain numbers, letters, and underscores.');
  if (KEYWORD_SPELLINGS.has(name)) throw refuse(`${name} is keyword in milvus.`);
}

function isTooLong(name: string, limits: NameLimits): boolean {
  return Buffer.byteLength(name) > limits.nameBytesMax;
}
