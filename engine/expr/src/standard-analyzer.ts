/** What a word is made of; everything else stands between words. */
const WORDS = /[\p{Alphabetic}\p{N}]+/gu;
const UPPER_SIGMA = 'Σ';

/**
 * The words of `text` as Milvus' standard analyzer cuts them: runs of letters and digits of any script, in
 * lower case. A run of Chinese characters is one word.
 */
export function standardWords(text: string): readonly string[] {
  return (text.match(WORDS) ?? []).map(lowerCase);
}

/** Character by character: JavaScript alone would write a sigma at the end of a word in another way. */
function lowerCase(word: string): string {
  if (!word.includes(UPPER_SIGMA)) return word.toLowerCase();
  return Array.from(word, (character) => character.toLowerCase()).join('');
}
