import { invalidParameter } from '@elanus/model';
import type { TokenFilter } from '../token.ts';

/** One line of a list of synonyms. */
export interface SynonymRule {
  readonly words: readonly string[];
  /** What each of the words becomes; `null`: they stand for each other. */
  readonly become: readonly string[] | null;
}

/** What a backslash may stand in front of. */
const ESCAPED = /^\\(?:([,\\ ])|(=>))/;

/**
 * `a, b` stand for each other, `a, b => c` turns the left ones into the right. A backslash makes a comma, a blank, another
 * backslash or `=>` part of a word.
 * @throws MilvusError 1100 in Milvus' words
 */
export function readSynonymRule(line: string): SynonymRule {
  const words: string[] = [];
  let become: string[] | null = null;
  let word = '';
  let isWordOver = false;
  const endWord = (): void => {
    if (word !== '') (become ?? words).push(word);
    word = '';
    isWordOver = false;
  };
  for (let at = 0; at < line.length; ) {
    const character = line[at]!;
    if (character === ' ') {
      isWordOver ||= word !== '';
      at += 1;
    } else if (character === ',') {
      endWord();
      at += 1;
    } else if (line.startsWith('=>', at)) {
      if (become !== null)
        throw invalidParameter(`read synonym dict failed, has more than one "=>" in ${line}`);
      endWord();
      become = [];
      at += 2;
    } else {
      if (isWordOver && character !== '\\')
        throw invalidParameter(
          `read synonym dict failed, has space between words ${line}, please use \\ to escape space`,
        );
      const part = character === '\\' ? escapedAt(line, at) : character;
      word += part;
      at += part.length + (character === '\\' ? 1 : 0);
    }
  }
  endWord();
  return { words, become };
}

function escapedAt(line: string, at: number): string {
  const match = ESCAPED.exec(line.slice(at, at + 3));
  if (match !== null) return match[1] ?? match[2]!;
  throw invalidParameter(
    at + 1 < line.length
      ? `invalid synonym escaped: \\${line[at + 1]} in ${line}`
      : `invalid synonym escaped in the end: ${line}`,
  );
}

/** A filter that gives words their equals. With `expand` a word stays beside them; without it one of its equals, the first, takes its place. */
export function synonymFilter(rules: readonly SynonymRule[], expand: boolean): TokenFilter {
  const replacements = new Map<string, Set<string>>();
  const learn = (word: string, others: readonly string[]): void => {
    const known = replacements.get(word);
    if (known === undefined) replacements.set(word, new Set(expand ? [...others, word] : others));
    else for (const other of others) known.add(other);
  };
  for (const { words, become } of rules)
    for (const word of words) learn(word, become ?? (expand ? words : words.slice(0, 1)));
  return (tokens) =>
    tokens.flatMap((token) => {
      const texts = replacements.get(token.text);
      return texts === undefined || texts.size === 0
        ? [token]
        : Array.from(texts, (text) => ({ ...token, text }));
    });
}
