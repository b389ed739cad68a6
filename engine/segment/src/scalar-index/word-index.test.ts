import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileCondition, planFilter, type WordsLike } from '@elanus/expr';
import { openAnalyzer } from '@elanus/functions';
import { type Column, DataType, type FieldId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from '../read.ts';
import { PieceWords } from '../words/piece-words.ts';
import type { IndexedBlock } from './build-scalar-index.ts';
import { buildWordIndex } from './build-word-index.ts';
import { decodeScalarIndex, encodeScalarIndex, ScalarIndexFileError } from './index-file.ts';
import { planCondition } from './plan-rows.ts';
import type { ScalarIndexData, WordSpec } from './scalar-index.ts';

const PARAMS = '{"type": "english"}';
const analyzer = await openAnalyzer(PARAMS);
const text = fieldFixture(101, 'text', DataType.VarChar, {
  nullable: true,
  typeParams: [
    { key: 'enable_analyzer', value: 'true' },
    { key: 'enable_match', value: 'true' },
    { key: 'analyzer_params', value: PARAMS },
  ],
});
const schema = schemaFixture([fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }), text]);
const spec: WordSpec = { kind: 'words', place: { fieldId: text.id, steps: null }, analyzer: PARAMS };
const read = { share: new LoopShare(systemClock) } as unknown as Read;

/** Neighbours in the order of bytes among them, and beginnings of each other. */
const WORDS = ['red', 'rose', 'roses', 'the', 'running', 'green', 'größe', '日本', 're', 'redder', 'z', 'a'];

function textColumn(texts: readonly (string | null)[]): Column {
  const parts = texts.map((one) => Buffer.from(one ?? ''));
  const offsets = new Uint32Array(texts.length + 1);
  for (const [at, { length }] of parts.entries()) offsets[at + 1] = offsets[at]! + length;
  const validity = Uint8Array.from(texts, (one) => (one === null ? 0 : 1));
  return { dataType: DataType.VarChar, length: texts.length, validity, offsets, bytes: Buffer.concat(parts) };
}

/** The second block begins behind a gap. */
const SECOND = 128;

class Fixture {
  readonly texts: readonly (string | null)[];
  readonly blocks: readonly IndexedBlock[];
  readonly index: ScalarIndexData;

  constructor(random: Random) {
    const randomText = (): string | null =>
      random.chance(0.1)
        ? null
        : Array.from({ length: random.below(9) }, () => WORDS[random.below(WORDS.length)]).join(' ');
    const rows = [120, 75];
    this.texts = Array.from({ length: SECOND + rows[1]! }, (_, row) =>
      row >= rows[0]! && row < SECOND ? null : randomText(),
    );
    this.blocks = [
      { column: textColumn(this.texts.slice(0, rows[0])), rows: rows[0]!, firstRow: 0 },
      { column: textColumn(this.texts.slice(SECOND)), rows: rows[1]!, firstRow: SECOND },
    ];
    this.index = buildWordIndex(spec, this.blocks, analyzer);
  }

  placesOf(row: number): readonly { readonly word: string; readonly position: number }[] {
    return analyzer.analyze(this.texts[row] ?? '').map(({ text: word, position }) => ({ word, position }));
  }
}

/** As a start finds it. */
function throughFile(index: ScalarIndexData): ScalarIndexData {
  const file = Buffer.concat(encodeScalarIndex(index));
  const aligned = new Uint8Array(new ArrayBuffer(file.length));
  aligned.set(file);
  return decodeScalarIndex(aligned);
}

function randomFilter(random: Random): string {
  const words = Array.from({ length: 1 + random.below(3) }, () => WORDS[random.below(WORDS.length)]).join(
    ' ',
  );
  if (random.chance(0.4)) return `phrase_match(text, "${words}", ${random.below(3)})`;
  return `text_match(text, "${words} nowhere", minimum_should_match=${1 + random.below(3)})`;
}

describe('an index of words', () => {
  for (const seed of [1, 2, 3]) {
    it(`says where words are, out of memory and out of a file (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const fixture = new Fixture(random);
      for (const index of [fixture.index, throughFile(fixture.index)])
        for (const { firstRow, rows } of fixture.blocks) {
          const words = new PieceWords({ index }, firstRow);
          for (const word of [...WORDS, 'run', 'nowhere', '']) {
            const [start, end] = [random.below(rows), rows - random.below(9)];
            const found: [number, number][] = [];
            words.visit(word, start, end, (row, position) => found.push([row, position]));
            const expected = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i).flatMap(
              (row) =>
                fixture
                  .placesOf(firstRow + row)
                  .flatMap((place) => (place.word === word ? [[row, place.position]] : [])),
            );
            assert.deepEqual(found, expected, word);
          }
          const like: WordsLike = { tokens: ['rod', 'gren'], editsMax: 1 };
          if (random.chance(0.5)) await words.prepareLike(like, read);
          const near = new Set<number>();
          words.visitLike(like, 0, rows, (row) => near.add(row));
          const isNear = (row: number) =>
            fixture.placesOf(firstRow + row).some(({ word }) => word === 'red' || word === 'green');
          assert.deepEqual(
            [...near].sort((a, b) => a - b),
            Array.from({ length: rows }, (_, row) => row).filter(isNear),
          );
        }
    });

    it(`names the rows that a filter finds by testing them (seed ${seed})`, () => {
      const random = seededRandom(100 + seed);
      const fixture = new Fixture(random);
      const index = throughFile(fixture.index);
      for (let round = 0; round < 60; round++) {
        const filter = randomFilter(random);
        const predicate = planFilter(filter, schema, undefined, {
          wordsOf: (_, words) => analyzer.analyze(words),
        })!;
        const probe = planCondition(predicate.condition, [index]);
        assert.ok(probe !== null, filter);
        const bits = new Uint8Array(Math.ceil(index.rows / 8));
        for (const _ of probe.marking(bits));
        const matches = compileCondition(predicate.condition);
        for (const { column, rows, firstRow } of fixture.blocks) {
          const source = { column: (_: FieldId) => column, words: () => new PieceWords({ index }, firstRow) };
          const tested = new Uint8Array(rows);
          matches(source, 0, rows, tested);
          for (let row = 0; row < rows; row++) {
            const isMarked = ((bits[(firstRow + row) >> 3]! >> ((firstRow + row) & 7)) & 1) === 1;
            if (probe.isExact) assert.equal(isMarked, tested[row] === 1, `${filter} of row ${row}`);
            else assert.ok(isMarked || tested[row] === 0, `${filter} misses row ${row}`);
          }
        }
      }
    });
  }

  it('does not open a file with a changed byte', () => {
    const file = Buffer.concat(encodeScalarIndex(new Fixture(seededRandom(9)).index));
    for (let at = 0; at < file.length; at += 97) {
      const damaged = new Uint8Array(new ArrayBuffer(file.length));
      damaged.set(file);
      damaged[at]! ^= 0x10;
      // Zeros between the arrays are nobody's.
      try {
        decodeScalarIndex(damaged);
      } catch (error) {
        assert.ok(error instanceof ScalarIndexFileError, String(error));
        continue;
      }
      assert.equal(file[at], 0);
    }
  });
});
