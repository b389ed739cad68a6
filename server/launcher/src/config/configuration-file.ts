import { readFile } from 'node:fs/promises';
import { OBJECT_STORE_KEYS } from '@elanus/object-store';
import { StartError } from '../start-error.ts';
import { CREDENTIALS_SECTION, MODEL_KEYS } from './model-settings.ts';
import { nearestName } from './nearest-name.ts';
import { SETTINGS } from './settings.ts';

/** The values of a configuration file by their canonical key. */
export interface ConfigurationFile {
  /** `undefined` when the file does not set `key`. */
  value(key: string): unknown;
  /** What it sets below a section, whose name ends in a dot, with the keys as they stand there. */
  below(section: string): Iterable<readonly [key: string, value: unknown]>;
  /** What whoever wrote the file should know. */
  readonly warnings: readonly string[];
}

export const NO_CONFIGURATION_FILE: ConfigurationFile = {
  value: () => undefined,
  below: () => [],
  warnings: [],
};

/** Reads YAML with Milvus' keys, nested or dotted. @throws StartError when it can't be read or is not YAML */
export async function readConfigurationFile(path: string): Promise<ConfigurationFile> {
  const [text, { parse }] = await Promise.all([readText(path), import('yaml')]);
  return configurationFrom(parsed(path, text, parse), path);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ''] ?? (error as Error).message;
    throw new StartError(`cannot read the configuration file ${path}: ${reason}`, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user has no right to read it',
};

function parsed(path: string, text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (error) {
    const firstLine = (error as Error).message.split('\n', 1)[0];
    throw new StartError(`the configuration file ${path} is not YAML: ${firstLine}`, error);
  }
}

async function configurationFrom(document: unknown, path: string): Promise<ConfigurationFile> {
  if (document === null || document === undefined) return NO_CONFIGURATION_FILE;
  if (!isMapping(document)) throw new StartError(`the configuration file ${path} must hold keys and values`);
  const values = new Map<string, { readonly key: string; readonly value: unknown }>();
  for (const [key, value] of leaves(document, '')) values.set(canonical(key), { key, value });
  return {
    value: (key) => values.get(canonical(key))?.value,
    below: (section) =>
      [...values.values()].filter(({ key }) => key.startsWith(section)).map(({ key, value }) => [key, value]),
    warnings: await warningsOf([...values.values()], path),
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The values of a nested document with their dotted keys; empty ones count as not set. */
function* leaves(document: Readonly<Record<string, unknown>>, prefix: string): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(document)) {
    const key = prefix + name;
    if (isMapping(value)) yield* leaves(value, `${key}.`);
    else if (value !== null && value !== '') yield [key, value];
  }
}

/** Milvus' look-up of a key is blind to case and to its separators. */
function canonical(key: string): string {
  return key.toLowerCase().replace(/[._/]/g, '');
}

/** Asked for safety that is not there: whoever relies on it must hear so. */
const PROMISES_NOT_KEPT: readonly { key: string; kept: (value: unknown) => boolean; what: string }[] = [
  {
    key: 'common.security.authorizationEnabled',
    kept: (value) => String(value) === 'false',
    what: 'users and passwords are not checked: every client is let in',
  },
  {
    key: 'common.security.tlsMode',
    kept: (value) => String(value) === '0',
    what: 'TLS is not spoken: connections are not encrypted',
  },
];

/** Where any key is accepted, one that is so few slips from a key with a meaning is taken for it. */
const SLIPS_MAX = 2;

async function warningsOf(
  entries: readonly { readonly key: string; readonly value: unknown }[],
  path: string,
): Promise<string[]> {
  const { KEYS_WITHOUT_MEANING, SECTIONS_WITHOUT_MEANING } = await import('./known-keys.ts');
  const meant = [...Object.values(SETTINGS).map(({ key }) => key), ...OBJECT_STORE_KEYS, ...MODEL_KEYS];
  const exact = new Set(
    [...meant, ...KEYS_WITHOUT_MEANING.filter((key) => !key.endsWith('.'))].map(canonical),
  );
  const below = [CREDENTIALS_SECTION, ...KEYS_WITHOUT_MEANING.filter((key) => key.endsWith('.'))].map(
    canonical,
  );
  const sections = new Set<string>(SECTIONS_WITHOUT_MEANING.map(canonical));
  const names = [...meant, ...KEYS_WITHOUT_MEANING.map((key) => key.replace(/\.$/, ''))];

  const warnings: string[] = [];
  for (const { key, value } of entries) {
    const known = canonical(key);
    const [section] = key.split('.', 1);
    const broken = PROMISES_NOT_KEPT.find(
      (promise) => canonical(promise.key) === known && !promise.kept(value),
    );
    if (broken !== undefined) warnings.push(`${broken.key} is ${value} in ${path}, but ${broken.what}`);
    if (exact.has(known)) continue;
    const isAccepted = sections.has(canonical(section!)) || below.some((start) => known.startsWith(start));
    const nearest = isAccepted
      ? nearestName(key, meant, SLIPS_MAX)
      : (nearestName(key, names) ?? nearestName(section!, SECTIONS_WITHOUT_MEANING));
    if (isAccepted && nearest === undefined) continue;
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    warnings.push(`unknown key ${key} in ${path}${hint}`);
  }
  return warnings;
}
