import { invalidParameter } from '@elanus/model';
import { type JsonObject, member, requireObject, textList } from './json-options.ts';
import {
  LINDERA_DICTIONARIES,
  LINDERA_OTHERS,
  type LinderaDictionary,
  type LinderaOptions,
} from './tokenizers/lindera.ts';

/** Filters of the tokenizer's own, and the dictionary whose parts of speech they name. */
const STOP_TAGS: Readonly<Record<string, LinderaDictionary>> = {
  japanese_stop_tags: 'ipadic',
  korean_stop_tags: 'ko-dic',
};
/** Levels of a part of speech in Japanese; those that a tag does not name are none. */
const LEVELS = 4;
const TAGS_MAX = 256;

/** @throws MilvusError 1100 in Milvus' words, as far as it has some */
export function readLinderaOptions(options: JsonObject): LinderaOptions {
  const dictionary = readDictionary(member(options, 'dict_kind'));
  const filters = member(options, 'filter') ?? [];
  if (!Array.isArray(filters)) throw invalidParameter('lindera tokenizer filter should be array');
  const stopTags = filters.flatMap((filter) => readStopTags(filter, dictionary));
  if (stopTags.length > TAGS_MAX) throw invalidParameter(`lindera tokenizer has more than ${TAGS_MAX} tags`);
  return { dictionary, stopTags };
}

function readDictionary(kind: unknown): LinderaDictionary {
  if (kind === undefined) throw invalidParameter('lindera tokenizer dict_kind must be set');
  if (typeof kind !== 'string') throw invalidParameter('lindera tokenizer dict kind should be string');
  const known = LINDERA_DICTIONARIES.find((name) => name === kind);
  if (known !== undefined) return known;
  throw invalidParameter(
    LINDERA_OTHERS.includes(kind)
      ? `lindera tokenizer with invalid dict_kind: ${kind} is not part of this build`
      : `unsupported lindera dict type: ${kind}`,
  );
}

function readStopTags(given: unknown, dictionary: LinderaDictionary): readonly string[] {
  const filter = requireObject(given, 'filter of lindera tokenizer');
  const kind = member(filter, 'kind');
  const wanted = typeof kind === 'string' && Object.hasOwn(STOP_TAGS, kind) ? STOP_TAGS[kind] : undefined;
  if (wanted === undefined)
    throw invalidParameter(`unsupported lindera filter kind: ${JSON.stringify(kind)}`);
  if (wanted !== dictionary)
    throw invalidParameter(`lindera filter ${kind} is for the dictionary ${wanted}, not for ${dictionary}`);
  const tags = textList(member(filter, 'tags'), `tags of lindera filter ${kind} should be a list of strings`);
  return dictionary === 'ipadic' ? tags.map(withAllLevels) : tags;
}

function withAllLevels(tag: string): string {
  const levels = tag.split(',');
  return Array.from({ length: LEVELS }, (_, at) => levels[at] || '*').join();
}
