import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePredicate, planFilter } from '@elanus/expr';
import { openAnalyzer } from '@elanus/functions';
import {
  type Column,
  DataType,
  type FieldId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import { queryShards } from '../query-shards.ts';
import { Shard } from '../shard.ts';
import { keyColumn, keysOf } from '../testing/index.ts';

const [ID, TEXT] = [100, 101] as readonly number[] as readonly [FieldId, FieldId];
const PARAMS = '{"type": "english"}';
const schema = schemaFixture([
  fieldFixture(ID, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(TEXT, 'text', DataType.VarChar, {
    nullable: true,
    typeParams: [
      { key: 'enable_analyzer', value: 'true' },
      { key: 'enable_match', value: 'true' },
      { key: 'analyzer_params', value: PARAMS },
    ],
  }),
]);
const analyzer = await openAnalyzer(PARAMS);
const share = new LoopShare(systemClock);

/** Stop words leave gaps, and endings fall off. */
const WORDS = ['red', 'rose', 'roses', 'the', 'running', 'runs', 'green', 'of'];

function randomText(random: Random): string | null {
  if (random.chance(0.1)) return null;
  return Array.from({ length: random.below(9) }, () => WORDS[random.below(WORDS.length)]).join(' ');
}

function textColumn(texts: readonly (string | null)[]): Column {
  const offsets = new Uint32Array(texts.length + 1);
  for (const [at, text] of texts.entries()) offsets[at + 1] = offsets[at]! + (text?.length ?? 0);
  const validity = Uint8Array.from(texts, (text) => (text === null ? 0 : 1));
  return {
    dataType: DataType.VarChar,
    length: texts.length,
    validity,
    offsets,
    bytes: Buffer.from(texts.join('')),
  };
}

interface Query {
  readonly filter: string;
  readonly matches: (text: string) => boolean;
}

const placesOf = (text: string) =>
  analyzer.analyze(text).map(({ text: word, position }) => ({ word, position }));

function randomQuery(random: Random): Query {
  const text = Array.from({ length: 1 + random.below(3) }, () => WORDS[random.below(WORDS.length)]).join(' ');
  const wanted = placesOf(text);
  if (random.chance(0.5)) {
    const countMin = 1 + random.below(2);
    const distinct = [...new Set(wanted.map(({ word }) => word))];
    return {
      filter: `text_match(text, "${text}", minimum_should_match=${countMin})`,
      matches: (row) => {
        const words = new Set(placesOf(row).map(({ word }) => word));
        return distinct.filter((word) => words.has(word)).length >= countMin;
      },
    };
  }
  if (random.chance(0.4)) {
    // One of the letters is another; the analyzer leaves the stem of some as it is.
    const near = wanted.map(({ word }) => `x${word.slice(1)}`).join(' ');
    const tokens = placesOf(near).map(({ word }) => word);
    const isNear = (word: string) =>
      tokens.some(
        (token) => token.length === word.length && [...token].filter((c, i) => c !== word[i]).length <= 1,
      );
    return {
      filter: `text_match_fuzzy(text, "${near}", max_edit_distance=1)`,
      matches: (row) => placesOf(row).some(({ word }) => isNear(word)),
    };
  }
  const slop = random.below(3);
  return {
    filter: `phrase_match(text, "${text}", ${slop})`,
    matches: (row) => wanted.length > 0 && cheapest(placesOf(row), wanted, 0, null) <= slop,
  };
}

type Places = ReturnType<typeof placesOf>;

/** The least sum of the steps out of place, by trying all. */
function cheapest(row: Places, wanted: Places, at: number, shift: number | null): number {
  if (at === wanted.length) return 0;
  const { word, position } = wanted[at]!;
  const costs = row
    .filter((place) => place.word === word)
    .map((place) => {
      const own = place.position - position;
      return (shift === null ? 0 : Math.abs(own - shift)) + cheapest(row, wanted, at + 1, own);
    });
  return Math.min(Number.POSITIVE_INFINITY, ...costs);
}

describe('text_match and phrase_match', () => {
  for (const seed of [1, 2, 3])
    it(`find the rows that have the words, as rows come and go (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed, share });
      const rows = new Map<bigint, string | null>();
      let time = 0n;
      for (let round = 0; round < 12; round++) {
        time += 1n;
        const keys = [
          ...new Set(Array.from({ length: random.below(2000) }, () => BigInt(random.below(9000)))),
        ];
        const texts = keys.map(() => randomText(random));
        for (const [at, key] of keys.entries()) rows.set(key, texts[at]!);
        const batch = {
          length: keys.length,
          columns: new Map([
            [ID, keyColumn(keys, DataType.Int64)],
            [TEXT, textColumn(texts)],
          ] as [FieldId, Column][]),
        };
        const gone = Array.from({ length: random.below(100) }, () => BigInt(random.below(9000)));
        const parts = [
          { partitionId: 1n as PartitionId, batch },
          { partitionIds: null, keys: keyColumn(gone, DataType.Int64) },
        ];
        const record = { kind: 'upsert', duplicates: 'replace', parts } as never;
        (await shard.prepare(record, time as Timestamp))!.publish();
        for (const key of gone) rows.delete(key);
        for (let query = 0; query < 4; query++) await assertSame(shard, rows, randomQuery(random), random);
      }
    });
});

async function assertSame(
  shard: Shard,
  rows: ReadonlyMap<bigint, string | null>,
  { filter, matches }: Query,
  random: Random,
): Promise<void> {
  const isNegated = random.chance(0.3);
  const bound = random.below(9000);
  const text = `${isNegated ? 'not ' : ''}${filter} ${random.chance(0.5) ? 'and' : 'or'} id < ${bound}`;
  const predicate = planFilter(text, schema, undefined, { wordsOf: (_, words) => analyzer.analyze(words) })!;
  const read = {
    shards: [shard],
    scope: { partitionIds: null, at: TIMESTAMP_MAX },
    selection: { keys: null, matches: compilePredicate(predicate), predicate },
    share,
  };
  const found = await queryShards(read, { limit: null, offset: 0 }, DataType.Int64);
  const expected = [...rows].filter(([key, row]) => {
    const isTrue = row !== null && matches(row) !== isNegated;
    return text.includes(' and id') ? isTrue && key < bound : isTrue || key < bound;
  });
  assert.deepEqual(
    keysOf(found.keys),
    expected.map(([key]) => key).sort((a, b) => Number((a as bigint) - (b as bigint))),
    text,
  );
}
