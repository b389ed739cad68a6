import { createRequire } from 'node:module';
import { ownText } from '../own-text.ts';
import { mapTexts, type TokenFilter } from '../token.ts';

type Stem = (word: string) => string;
type Module = { readonly stemmer: Stem };

/** English is Snowball's, which its own package calls so; the other one has Porter's older rules. */
const STEMMERS = {
  arabic: () => import('@orama/stemmers/arabic'),
  danish: () => import('@orama/stemmers/danish'),
  dutch: () => import('@orama/stemmers/dutch'),
  english: async () => snowballEnglish(),
  finnish: () => import('@orama/stemmers/finnish'),
  french: () => import('@orama/stemmers/french'),
  german: () => import('@orama/stemmers/german'),
  greek: () => import('@orama/stemmers/greek'),
  hungarian: () => import('@orama/stemmers/hungarian'),
  italian: () => import('@orama/stemmers/italian'),
  norwegian: () => import('@orama/stemmers/norwegian'),
  portuguese: () => import('@orama/stemmers/portuguese'),
  romanian: () => import('@orama/stemmers/romanian'),
  russian: () => import('@orama/stemmers/russian'),
  spanish: () => import('@orama/stemmers/spanish'),
  swedish: () => import('@orama/stemmers/swedish'),
  tamil: () => import('@orama/stemmers/tamil'),
  turkish: () => import('@orama/stemmers/turkish'),
} as const satisfies Readonly<Record<string, () => Promise<Module>>>;
export type StemmedLanguage = keyof typeof STEMMERS;

/** Milvus takes this misspelling as well. */
const ALSO_ARABIC = 'arabig';

/** The language called `name`, in any case; `undefined` when there is no stemmer for it. */
export function stemmedLanguage(name: string): StemmedLanguage | undefined {
  const lower = name.toLowerCase();
  if (lower === ALSO_ARABIC) return 'arabic';
  return Object.hasOwn(STEMMERS, lower) ? (lower as StemmedLanguage) : undefined;
}

/** Longer words are no words of a language, and some rules take the square of the length. */
const STEMMED_UNITS_MAX = 128;
/** Stems that are remembered: working one out takes microseconds. */
const REMEMBERED_MAX = 32_768;

/** A filter that cuts words back to their stems. */
export async function stemmerFilter(language: StemmedLanguage): Promise<TokenFilter> {
  const { stemmer } = await STEMMERS[language]();
  const known = new Map<string, string>();
  return mapTexts((text) => {
    if (text.length > STEMMED_UNITS_MAX) return text;
    const remembered = known.get(text);
    if (remembered !== undefined) return remembered;
    if (known.size >= REMEMBERED_MAX) known.clear();
    const stem = ownText(stemmer(text));
    known.set(ownText(text), stem);
    return stem;
  });
}

function snowballEnglish(): Module {
  const require = createRequire(import.meta.url);
  const library = require('snowball-stemmers') as { newStemmer(language: string): { stem: Stem } };
  const english = library.newStemmer('english');
  return { stemmer: (word) => english.stem(word) };
}
