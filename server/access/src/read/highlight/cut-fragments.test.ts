import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutFragments, type MarkedWord } from './cut-fragments.ts';

const style = {
  preTags: ['<'],
  postTags: ['>'],
  fragmentOffset: 0,
  fragmentSize: 10,
  fragmentsMax: 5,
};

/** Every place of these words in a text. */
function places(text: string, ...words: readonly string[]): MarkedWord[] {
  return words.flatMap((word) =>
    Array.from(text.matchAll(new RegExp(word, 'g')), ({ index }) => ({
      start: index,
      end: index + word.length,
    })),
  );
}

test('each fragment begins with a word, or so much before it', () => {
  const text = 'a red rose is a red rose';
  assert.deepEqual(cutFragments(text, places(text, 'rose'), style), ['<rose> is a ', '<rose>']);
  assert.deepEqual(cutFragments(text, places(text, 'rose'), { ...style, fragmentOffset: 4 }), [
    'red <rose> i',
    'red <rose>',
  ]);
  assert.deepEqual(cutFragments(text, places(text, 'rose'), { ...style, fragmentSize: 100 }), [
    '<rose> is a red <rose>',
  ]);
});

test('there are no more fragments than asked for, and none without a word', () => {
  const text = 'rose '.repeat(20);
  assert.equal(cutFragments(text, places(text, 'rose'), { ...style, fragmentsMax: 2 }).length, 2);
  assert.deepEqual(cutFragments(text, places(text, 'rose'), { ...style, fragmentsMax: 0 }), []);
  assert.deepEqual(cutFragments(text, [], style), []);
});

test('words of a fragment take turns with the tags, and overlapping ones are marked once', () => {
  const two = { ...style, preTags: ['<', '['], postTags: ['>', ']'] };
  const text = 'red rose';
  assert.deepEqual(cutFragments(text, places(text, 'red', 'rose'), two), ['<red> [rose]']);
  const again = 'rose rose, rose rose';
  assert.deepEqual(cutFragments(again, places(again, 'rose'), two), ['<rose> [rose],', '<rose> [rose]']);
  const uneven = { ...two, postTags: ['|'] };
  assert.deepEqual(cutFragments(text, places(text, 'red', 'rose'), uneven), ['<red| [rose|']);
  const han = '数据库';
  assert.deepEqual(
    cutFragments(han, places(han, '数据', '据库', '数据库'), {
      ...two,
      preTags: ['<', '[', '('],
      postTags: ['>', ']', ')'],
    }),
    ['<数据库>'],
  );
});

test('no fragment parts a character', () => {
  const text = '🌹🌹rose🌹🌹🌹🌹';
  const [fragment] = cutFragments(text, places(text, 'rose'), {
    ...style,
    fragmentOffset: 1,
    fragmentSize: 6,
  });
  assert.equal(fragment, '🌹<rose>');
  assert(fragment.isWellFormed());
});

test('a word that is longer than a fragment is shown whole', () => {
  const text = 'a roseroserose';
  assert.deepEqual(cutFragments(text, places(text, 'roseroserose'), style), ['<roseroserose>']);
});
