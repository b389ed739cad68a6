import type { Draft, Methods } from '@elanus/proto';

const ending = ': invalid parameter';
/** What both are told; with another code. */
export const HIDDEN_PARTITIONS =
  'not support manually specifying the partition names if partition key mode is used';
/** Ends what is told of wishes that this version does not fulfil. */
export const UNSERVED = 'service unimplemented';

/** What is told of a number beyond `least` to 16384. */
export const range = (what: string, value: number | string, least = 1) =>
  `${what} [${value}] is invalid, it should be in range [${least}, 16384], but got ${value}${ending}`;

/** Filters that are none; the last ones would nest too deep for any stack. */
export const WRONG_FILTERS = [
  'id >',
  'nothing',
  'id + 1',
  "id == 'one'",
  'title > 5',
  'id in [1, "a"]',
  'title like 5',
  'id == 99999999999999999999',
  'json_contains(title, 1)',
  'id == 1; id == 2',
  'id == "\\ud800',
  `${'not '.repeat(10_000)}(id > 0)`,
  `${'('.repeat(10_000)}id > 0`,
];
/** What is told of one of them: Milvus' words, then our parser's. */
export const wrongFilter = (filter: string) =>
  new RegExp(
    `^failed to create query plan: cannot parse expression: ${RegExp.escape(filter.slice(0, 50))}.*, error: .*: invalid parameter$`,
    's',
  );

/** A collection, partitions or fields that cannot be read, alike for searches and queries. */
export const UNREADABLE: readonly (readonly [
  what: string,
  request: Draft<Methods['Query']['request']> & Draft<Methods['Search']['request']>,
  code: number,
  reason: string | RegExp,
])[] = [
  [
    'a collection that is not loaded',
    { collectionName: 'asleep' },
    101,
    'collection not loaded[collection=asleep]',
  ],
  [
    'an unknown partition',
    { collectionName: 'books', partitionNames: ['new', 'old'] },
    1100,
    'partition name old not found',
  ],
  [
    'a partition that is not loaded',
    { collectionName: 'plain', partitionNames: ['_default', 'other'] },
    201,
    'partition not loaded[partition=other]',
  ],
  ['an unknown field', { collectionName: 'plain', outputFields: ['size'] }, 1100, 'field size not exist'],
  [
    'a field that was not loaded',
    { collectionName: 'plain', outputFields: ['isbn'] },
    1100,
    `field isbn is not loaded${ending}`,
  ],
];
