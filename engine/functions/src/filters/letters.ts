import { keepTexts, mapTexts, type TokenFilter } from '../token.ts';

const UPPER_SIGMA = 'Σ';

/** Character by character: JavaScript alone would write a sigma at the end of a word in another way. */
export const lowercase: TokenFilter = mapTexts((text) => {
  if (!text.includes(UPPER_SIGMA)) return text.toLowerCase();
  return Array.from(text, (character) => character.toLowerCase()).join('');
});

/** Latin letters that are no base letter with a mark, and what they become. */
const FOLDED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ß: 'ss',
    ẞ: 'SS',
    æ: 'ae',
    Æ: 'AE',
    œ: 'oe',
    Œ: 'OE',
    ø: 'o',
    Ø: 'O',
    ł: 'l',
    Ł: 'L',
    đ: 'd',
    Đ: 'D',
    ð: 'd',
    Ð: 'D',
    þ: 'th',
    Þ: 'TH',
    ħ: 'h',
    Ħ: 'H',
    ı: 'i',
    ĸ: 'q',
    ŋ: 'n',
    Ŋ: 'N',
    ŧ: 't',
    Ŧ: 'T',
    ƀ: 'b',
    ƒ: 'f',
    ɨ: 'i',
    ʉ: 'u',
    ĳ: 'ij',
    Ĳ: 'IJ',
    ŉ: "'n",
    '‘': "'",
    '’': "'",
    '“': '"',
    '”': '"',
    '–': '-',
    '—': '-',
  }),
);
const ONLY_ASCII = /^\p{ASCII}*$/u;
const LATIN_WITH_MARKS = /^[A-Za-z0-9\p{M}]+$/u;
const MARKS = /\p{M}/gu;

/** Latin letters without their marks; other scripts stay as they are. */
export const asciiFolding: TokenFilter = mapTexts((text) => {
  if (ONLY_ASCII.test(text)) return text;
  return Array.from(text, (character) => {
    const known = FOLDED.get(character);
    if (known !== undefined) return known;
    const apart = character.normalize('NFKD');
    return LATIN_WITH_MARKS.test(apart) ? apart.replace(MARKS, '') : character;
  }).join('');
});

/** Digits of all scripts as ASCII digits. */
export const decimalDigit: TokenFilter = mapTexts((text) =>
  text.replace(/\p{Nd}/gu, (digit) => {
    // Decimal digits stand in runs of ten, each of which begins with its zero.
    const code = digit.codePointAt(0)!;
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return code < 128 ? digit : String((code - zero) % 10);
  }),
);

const ARABIC_LETTERS: ReadonlyMap<string, string> = new Map([
  ['\u0622', '\u0627'],
  ['\u0623', '\u0627'],
  ['\u0625', '\u0627'],
  ['\u0649', '\u064a'],
  ['\u0629', '\u0647'],
]);

/** Arabic without tatweel and vowel marks, with one form of alef, yeh and heh. */
export const arabicNormalization: TokenFilter = mapTexts((text) =>
  text
    .replace(/[\u0640\u064b-\u065f]/g, '')
    .replace(/[\u0622\u0623\u0625\u0629\u0649]/g, (letter) => ARABIC_LETTERS.get(letter)!),
);

/** Words of ASCII letters and digits. */
export const onlyAsciiWords: TokenFilter = keepTexts((text) => /^[A-Za-z0-9]+$/.test(text));
/** Words with a Chinese character, or an ASCII letter or digit, in them. */
export const onlyWords: TokenFilter = keepTexts((text) => /[\p{Script=Han}a-zA-Z0-9]/u.test(text));
/** Words with a Chinese character in them. */
export const onlyChinese: TokenFilter = keepTexts((text) => /\p{Script=Han}/u.test(text));
/** Words without punctuation or blanks in them; symbols are neither. */
export const withoutPunctuation: TokenFilter = keepTexts((text) => !/[\p{P}\p{White_Space}]/u.test(text));
