import { invalidParameter } from '@elanus/model';
import { type JsonObject, member, parseJsonObject } from './json-options.ts';

/** A file of words, one entry a line. */
export type WordFile =
  /** Of the server's machine. */
  | { readonly kind: 'local'; readonly path: string }
  /** Of the object store, by the name that it was registered under. */
  | { readonly kind: 'remote'; readonly resource: string; readonly fileName: string };

/** Reads the lines of a file. @throws MilvusError when there is none that may be read */
export type WordFileReader = (file: WordFile) => Promise<readonly string[]>;

/** Of each filter that takes words, what they are called, and Milvus' name for the file of them. */
const WORDS_OF: Readonly<Record<string, { readonly key: string; readonly label: string } | undefined>> = {
  stop: { key: 'stop_words', label: 'stop words dict file' },
  decompounder: { key: 'word_list', label: 'decompounder word list file' },
  synonym: { key: 'synonyms', label: 'synonyms dict file' },
};
const FILE_SUFFIX = '_file';

/** All the words of one field's files: they become part of its definition, which is kept in memory. */
const WORDS_UNITS_MAX = 256 * 1024;

/**
 * The parameters of an analyzer with the words of the files that they name in the place of the names: whoever has them
 * needs no file, and means the same words for ever. What is no analyzer is left as it is.
 * @throws MilvusError 1100 in Milvus' words, and as `read` does
 */
export async function inlineWordFiles(params: string, read: WordFileReader): Promise<string> {
  if (!params.includes(FILE_SUFFIX)) return params;
  const analyzer = parseJsonObject(params, 'analyzer params');
  return JSON.stringify(await inlinedAnalyzer(analyzer, limited(read), 'field'));
}

/** As `inlineWordFiles`, of parameters that name several analyzers. */
export async function inlineWordFilesOfSeveral(params: string, read: WordFileReader): Promise<string> {
  if (!params.includes(FILE_SUFFIX)) return params;
  const several = parseJsonObject(params, 'multi analyzer params');
  return JSON.stringify(await withInlinedAnalyzers(several, limited(read), 'field'));
}

/** The registered files that parameters, of one analyzer or of several, name. */
export async function namedResources(params: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const note: WordFileReader = async (file) => {
    if (file.kind === 'remote') names.add(file.resource);
    return [];
  };
  await inlineWordFiles(params, note);
  await inlineWordFilesOfSeveral(params, note);
  return names;
}

/** Refuses to read more than fits into a definition. */
function limited(read: WordFileReader): WordFileReader {
  let units = 0;
  return async (file) => {
    const lines = await read(file);
    for (const line of lines) units += line.length + 1;
    if (units <= WORDS_UNITS_MAX) return lines;
    throw invalidParameter(`the files of an analyzer have more than ${WORDS_UNITS_MAX} characters`);
  };
}

/** One of a field, or one of those that a field chooses between by language, none of which chooses again. */
type Place = 'field' | 'language';

async function inlinedAnalyzer(
  analyzer: JsonObject,
  read: WordFileReader,
  place: Place,
): Promise<JsonObject> {
  const inlined: Record<string, unknown> = { ...analyzer };
  const filters = member(analyzer, 'filter');
  if (Array.isArray(filters)) {
    const changed: unknown[] = [];
    for (const filter of filters) changed.push(await inlinedFilter(filter, read));
    inlined.filter = changed;
  }
  const tokenizer = member(analyzer, 'tokenizer');
  if (place === 'field' && isObject(tokenizer))
    inlined.tokenizer = await withInlinedAnalyzers(tokenizer, read, 'language');
  return inlined;
}

/** What has a member `analyzers`, those inlined. */
async function withInlinedAnalyzers(of: JsonObject, read: WordFileReader, place: Place): Promise<JsonObject> {
  const analyzers = member(of, 'analyzers');
  if (!isObject(analyzers)) return of;
  const inlined: [string, unknown][] = [];
  for (const [name, params] of Object.entries(analyzers))
    inlined.push([name, isObject(params) ? await inlinedAnalyzer(params, read, place) : params]);
  return { ...of, analyzers: Object.fromEntries(inlined) };
}

async function inlinedFilter(filter: unknown, read: WordFileReader): Promise<unknown> {
  if (!isObject(filter)) return filter;
  const type = member(filter, 'type');
  const words = typeof type === 'string' && Object.hasOwn(WORDS_OF, type) ? WORDS_OF[type] : undefined;
  if (words === undefined) return filter;
  const { [`${words.key}${FILE_SUFFIX}`]: place, ...rest } = filter;
  if (place === undefined) return filter;
  const lines = await read(readPlace(place, words.label));
  const own = member(rest, words.key) ?? [];
  // What is no list is refused by whoever reads the parameters.
  return Array.isArray(own) ? { ...rest, [words.key]: [...own, ...lines] } : rest;
}

function readPlace(place: unknown, label: string): WordFile {
  if (!isObject(place)) throw invalidParameter(`file config of ${label} must be object`);
  const type = member(place, 'type');
  if (type === undefined) throw invalidParameter(`file type of ${label} must be set`);
  if (typeof type !== 'string') throw invalidParameter(`file type of ${label} must be string`);
  switch (type) {
    case 'local':
      return { kind: 'local', path: textOf(place, 'path', `file path of local file \`${label}\``) };
    case 'remote':
      return {
        kind: 'remote',
        resource: textOf(place, 'resource_name', `resource name of remote file \`${label}\``),
        fileName: textOf(place, 'file_name', `file name of remote file \`${label}\``),
      };
    default:
      throw invalidParameter(`unsupported file type ${type} of ${label}`);
  }
}

function textOf(place: JsonObject, key: string, what: string): string {
  const value = member(place, key);
  if (value === undefined) throw invalidParameter(`${what} must be set`);
  if (typeof value === 'string') return value;
  throw invalidParameter(`${what} must be string`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
