import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopShare, systemClock } from '@elanus/runtime';
import { collectionOf } from './read-fixture.ts';
import { planServedFilter } from './served-filter.ts';

const dependencies = { share: new LoopShare(systemClock) };

test('the same text means the same predicate, for its schema and its time zone', async () => {
  const { schema } = collectionOf();
  const plan = (of = schema, timeZone = 'UTC') =>
    planServedFilter(dependencies, of, 'color == "red"', new Map(), timeZone);
  const first = await plan();
  assert.equal(await plan(), first);
  assert.notEqual(await plan(collectionOf().schema), first);
  assert.notEqual(await plan(schema, 'Asia/Tokyo'), first);
});

test('what depends on chance is planned each time', async () => {
  const { schema } = collectionOf();
  const plan = () => planServedFilter(dependencies, schema, 'random_sample(0.5)', new Map(), 'UTC');
  assert.notEqual(await plan(), await plan());
});

test('filters that nobody has asked for lately are forgotten', async () => {
  const { schema } = collectionOf();
  const plan = (text: string) => planServedFilter(dependencies, schema, text, new Map(), 'UTC');
  const first = await plan('id > 0');
  for (let bound = 1; bound < 64; bound++) await plan(`id > ${bound}`);
  assert.equal(await plan('id > 0'), first);
  for (let bound = 100; bound < 164; bound++) await plan(`id > ${bound}`);
  assert.notEqual(await plan('id > 0'), first);
});

test('a filter that is wrong is refused each time, and blanks are none', async () => {
  const { schema } = collectionOf();
  const plan = (text: string) => planServedFilter(dependencies, schema, text, new Map(), 'UTC');
  for (let asked = 0; asked < 2; asked++) {
    await assert.rejects(plan('nothing <'));
    assert.equal(await plan('  '), null);
    assert.equal(await plan(''), null);
  }
});
