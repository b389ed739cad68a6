import type { HighlightStyle } from './read-highlighter.ts';

/** Where a word was found in a text. */
export interface MarkedWord {
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of a text that show its marked words, each word between the tags whose turn it is in the fragment. A fragment begins `fragmentOffset` before
 * its first word and shows all marked words that fit; where words overlap, the first one and of those the longest is
 * marked. `words` come in any order.
 */
export function cutFragments(
  text: string,
  words: readonly MarkedWord[],
  { preTags, postTags, fragmentOffset, fragmentSize, fragmentsMax }: HighlightStyle,
): readonly string[] {
  const marked = withoutOverlaps(words);
  const fragments: string[] = [];
  let cut = 0;
  for (let next = 0; next < marked.length && fragments.length < fragmentsMax; ) {
    const first = marked[next]!;
    const start = wholeCharacter(text, Math.max(cut, first.start - fragmentOffset), -1);
    const end = wholeCharacter(text, Math.min(text.length, Math.max(start + fragmentSize, first.end)), 1);
    let fragment = '';
    let shown = start;
    for (let turn = 0; next < marked.length && marked[next]!.end <= end; next++, turn++) {
      const word = marked[next]!;
      const [before, after] = [preTags[turn % preTags.length], postTags[turn % postTags.length]];
      fragment += `${text.slice(shown, word.start)}${before}${text.slice(word.start, word.end)}${after}`;
      shown = word.end;
    }
    fragments.push(fragment + text.slice(shown, end));
    cut = end;
    // A word that the end of the fragment cuts is shown nowhere.
    while (next < marked.length && marked[next]!.start < cut) next++;
  }
  return fragments;
}

function withoutOverlaps(words: readonly MarkedWord[]): readonly MarkedWord[] {
  const sorted = words.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const kept: MarkedWord[] = [];
  for (const word of sorted) if (word.start >= (kept.at(-1)?.end ?? 0)) kept.push(word);
  return kept;
}

/** `at`, or its neighbour in `direction` where it would part a surrogate pair. */
function wholeCharacter(text: string, at: number, direction: 1 | -1): number {
  const isInside = at > 0 && at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  return isInside ? at + direction : at;
}
