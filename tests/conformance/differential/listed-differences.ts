import type { Difference } from './differences.ts';

/** Where Elanus means to answer otherwise than Milvus 2.3.5, and why. */
export interface ListedDifference {
  /** The steps it is about, by their sentences; absent for all. */
  readonly steps?: RegExp;
  readonly path: RegExp;
  /** What must hold of the two answers besides. */
  readonly only?: (difference: Difference) => boolean;
  readonly why: string;
}

const code = /(^|\.)(code|errorCode)$/;
const reason = /(^|\.)reason$/;

/** The first entry that fits a difference is the one that explains it. */
export const listedDifferences: readonly ListedDifference[] = [
  {
    path: code,
    only: ({ elanus, milvus }) =>
      [65535, 'UnexpectedError'].includes(milvus as never) &&
      [1100, 1101, 201, 'IllegalArgument'].includes(elanus as never),
    why: 'later versions of Milvus give these mistakes codes of their own, 2.3.5 knows one for all',
  },
  {
    path: reason,
    only: ({ elanus, milvus }) =>
      elanus === `${milvus}: invalid parameter` ||
      elanus ===
        `failed to create query plan: cannot parse expression: ${filterOf(milvus)}: invalid parameter`,
    why: 'later versions end the same text with the name of its code',
  },
  {
    steps: /^query the wrong|^delete by a wrong filter/,
    path: reason,
    why: 'the words after the prefix are those of our own parser',
  },
  {
    steps: /^create one with|^insert |^create an index with an unknown metric/,
    path: reason,
    why: 'later versions name the field, the row or the range; we use their words',
  },
  {
    steps: /^search (for|beyond)|^query a limit that is too large/,
    path: reason,
    why: 'later versions say "it should be in range" instead of "top k should be in range"',
  },
  {
    steps: /^search in a range filter alone/,
    path: /./,
    why: 'later versions refuse a range_filter without a radius, 2.3.5 leaves it out',
  },
  {
    steps: /^search in (a range that holds nothing|a radius that is a text)|^search with one decimal/,
    path: reason,
    why: 'we name the parameter and its value, and no node, channel or line of code',
  },
  {
    steps: /^query a page of an iterator/,
    path: /fieldsData$/,
    why: '2.3.5 ends a page early where a key was inserted twice or lies in two partitions',
  },
  {
    steps: /released|^search with another metric|^search an unknown field/,
    path: reason,
    why: 'we name the collection or partition as the caller did, and no node or channel',
  },
  {
    steps: /^(describe|rename) an unknown collection/,
    path: /reason$|schema$|collectionName$|dbName$/,
    why: 'the text of later versions, which clients look for; nothing else is filled in beside an error',
  },
  {
    steps: /^create one with no vector|^list the collections/,
    path: /code$|errorCode$|reason$|collectionNames$/,
    why: '2.3.5 creates a collection without a vector field, later versions refuse it as we do',
  },
  {
    path: /(primaryFieldName|allSearchCount|shardsNum|properties|topK)$/,
    why: 'what later versions of the protocol fill in or define more narrowly',
  },
  {
    steps: /dynamic field/,
    path: /fieldsData$/,
    why: 'only the keys that were asked for are sent, as clients show no others',
  },
  {
    steps: /^count/,
    path: /outputFields$|collectionName$/,
    why: 'later versions fill these in for counts too',
  },
  {
    steps: /^search nothing/,
    path: /fieldsData$/,
    why: 'an empty column keeps its kind, without which old clients fail',
  },
  {
    steps: /inserted twice|^query what is left/,
    path: /fieldsData$/,
    why: 'keys are unique: the second insert replaces the row (architecture, section 4)',
  },
  {
    steps: /^upsert$/,
    path: /deleteCnt$/,
    why: 'the number of rows that an upsert really replaced',
  },
  {
    steps: /^delete by/,
    path: /IDs$/,
    why: 'an empty message and none are the same to every client',
  },
  {
    steps: /^flush nothing/,
    path: /code$|errorCode$|reason$|dbName$/,
    why: 'later versions refuse a flush of no collection',
  },
  {
    steps: /alias/,
    path: /^(dbName|collectionName)$/,
    only: ({ milvus }) => milvus === '',
    why: 'later versions say in which database an alias is, and whose aliases were asked for',
  },
  {
    steps: /^filter (doc|color|level|nothing|not json_contains).*(!=|not )|^filter not json_contains/,
    path: /fieldsData$/,
    why: 'since 2.6.19 a comparison with a value of another kind, or with none, is neither true nor false: != and not leave the row out',
  },
  {
    steps: /^filter name like /,
    path: /./,
    why: '2.3.5 knows no pattern but a prefix, neither _ nor an escaped character',
  },
  {
    steps:
      /^filter (id - 1 > 7|score \* 2 > 10|i8 \+ 100 > 200|doc\["a"\] \* 2 > 2|array_length\(nums\) > 3)$/,
    path: /./,
    why: '2.3.5 compares results of arithmetic, and lengths, by == and != only',
  },
  {
    steps: /^filter (doc\["a"\] in \[1, "1"\]|1 == 1|"a" == "a")$/,
    path: /./,
    why: '2.3.5 fails with an internal error: lists of several kinds, and constants alone, came later',
  },
  {
    steps: /^filter (18 < age < 18|id % 0 == 1)$/,
    path: /./,
    why: 'a range that holds nothing and a remainder of 0 are mistakes in later versions; 2.3.5 finds no rows',
  },
  {
    steps: /^filter /,
    path: reason,
    only: ({ elanus, milvus }) =>
      String(elanus).startsWith('failed to create query plan: ') && String(milvus) !== '',
    why: 'both refuse the filter; the words are those of later versions',
  },
];

/** 2.3.5's reason for a wrong filter, without the prefix that both have. */
function filterOf(milvus: unknown): string {
  return String(milvus).replace(/^cannot parse expression: /, '');
}
