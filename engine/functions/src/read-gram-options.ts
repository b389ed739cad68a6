import { invalidParameter } from '@elanus/model';
import { flag, type JsonObject, member, requireText, textList } from './json-options.ts';
import { charClass } from './tokenizers/char-group.ts';
import { GRAM_LENGTHS_MAX, type NgramOptions } from './tokenizers/ngram.ts';

/** The class of characters between which `char_group` cuts. @throws MilvusError 1100 in Milvus' words */
export function readDelimiters(options: JsonObject): string {
  const given = member(options, 'delimiters');
  if (given === undefined) throw invalidParameter("char group tokenizer delimiters can't be empty");
  if (!Array.isArray(given)) throw invalidParameter('char group tokenizer delimiters must be a vector');
  const members = given.map((each) => {
    if (typeof each === 'string') return each;
    throw invalidParameter('char group tokenizer delimiter in delimiters must be string');
  });
  if (members.length === 0) throw invalidParameter("char group tokenizer delimiters can't be empty");
  return requireClass(members);
}

/** What characters grams may be made of. */
const TOKEN_CHARS = ['letter', 'digit', 'whitespace', 'punctuation', 'symbol', 'custom'];

/** @throws MilvusError 1100 for lengths or characters that no grams have */
export function readNgramOptions(options: JsonObject): NgramOptions {
  const min = gramLength(options, 'min_gram', 1);
  const max = gramLength(options, 'max_gram', 2);
  const prefixOnly = flag(
    member(options, 'prefix_only'),
    'prefix_only of ngram tokenizer should be a boolean',
    false,
  );
  if (min > max) throw invalidParameter('min_gram must not be greater than max_gram');
  if (!prefixOnly && max - min >= GRAM_LENGTHS_MAX)
    throw invalidParameter(`ngram tokenizer makes grams of at most ${GRAM_LENGTHS_MAX} lengths`);
  return { min, max, prefixOnly, kept: keptCharacters(options) };
}

function keptCharacters(options: JsonObject): string | null {
  const names = textList(
    member(options, 'token_chars'),
    'token_chars of ngram tokenizer should be a list of strings',
  );
  const unknown = names.find((name) => !TOKEN_CHARS.includes(name));
  if (unknown !== undefined) throw invalidParameter(`unknown token_chars of ngram tokenizer: ${unknown}`);
  if (names.length === 0) return null;
  const own = names.includes('custom')
    ? requireText(member(options, 'custom_token_chars'), 'custom_token_chars of ngram tokenizer')
    : '';
  const kept = requireClass([...names.filter((name) => name !== 'custom'), ...own]);
  // Unlike a delimiter, a digit of a gram may be of any script.
  return names.includes('digit') ? `${kept}\\p{N}` : kept;
}

function requireClass(members: readonly string[]): string {
  const wrong = members.find((each) => charClass([each]) === null);
  if (wrong !== undefined) throw invalidParameter(`${wrong} not a char or name of build-in char group`);
  return charClass(members)!;
}

const GRAM_MAX = 255;

function gramLength(options: JsonObject, key: string, otherwise: number): number {
  const given = member(options, key) ?? otherwise;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= GRAM_MAX) return given;
  if (given === 0) throw invalidParameter(`${key} must be greater than 0`);
  throw invalidParameter(`${key} of ngram tokenizer should be an integer from 1 to ${GRAM_MAX}`);
}
