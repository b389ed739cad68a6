/** The languages that are told apart: the library's code, then the names and codes by which users may call each. */
const LANGUAGES = `
am Amharic amh
ar Arabic ara
az Azerbaijani aze
be Belarusian bel
bg Bulgarian bul
bn Bengali ben
ca Catalan cat
cs Czech ces
da Danish dan
de German deu
el Greek ell
en English eng
es Spanish spa
et Estonian est
eu Basque eus
fa Persian pes
fi Finnish fin
fr French fra
gu Gujarati guj
he Hebrew heb
hi Hindi hin
hr Croatian hrv
hu Hungarian hun
hy Armenian hye
is Icelandic isl
it Italian ita
ja Japanese jpn
ka Georgian kat
kn Kannada kan
ko Korean kor
ku Kurdish kur
lo Lao lao
lt Lithuanian lit
lv Latvian lav
ml Malayalam mal
mr Marathi mar
ms Malay msa
nl Dutch nld
no Bokmal Norwegian nob
or Oriya ori
pa Punjabi pan
pl Polish pol
pt Portuguese por
ro Romanian ron
ru Russian rus
sk Slovak slk
sl Slovene Slovenian slv
sq Albanian sqi
sr Serbian srp
sv Swedish swe
ta Tamil tam
te Telugu tel
th Thai tha
tl Tagalog tgl
tr Turkish tur
uk Ukrainian ukr
ur Urdu urd
vi Vietnamese vie
yo Yoruba yor
zh Mandarin Chinese cmn`;

const NAMES_BY_CODE: ReadonlyMap<string, readonly string[]> = new Map(
  LANGUAGES.trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([code, ...names]) => [code!, names]),
);
const NONE: readonly string[] = [];

/** More text says no more. */
const UNITS_READ = 1024;

/** Says by which names users may call the language of a text; by none when it is not known. */
export type LanguageIdentifier = (text: string) => readonly string[];

/** Loads the library, which takes a quarter of a second, when nobody has before. */
export async function languageIdentifier(): Promise<LanguageIdentifier> {
  const { eld } = await import('eld/small');
  return (text) => NAMES_BY_CODE.get(eld.detect(text.slice(0, UNITS_READ)).language) ?? NONE;
}
