import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefinitionFixture } from '../definition/definition-fixture.ts';
import { PREPARED_COLLECTIONS } from '../testing/prepared-collections.ts';

const fixture = await DefinitionFixture.open();
for (const { method, request } of PREPARED_COLLECTIONS) await fixture.call(method, request);

const texts = (...list: string[]) => list.map((each) => Buffer.from(each));
type Request = Parameters<typeof fixture.call<'RunAnalyzer'>>[1];
const run = async (request: Request) => (await fixture.call('RunAnalyzer', request)).results;
const wordsOf = async (request: Request) =>
  (await run(request)).map(({ tokens }) => tokens.map(({ token }) => token).join(' '));

test('cuts texts by parameters, by the standard analyzer without any', async () => {
  const placeholder = texts("Don't PANIC", '', 'Dogs');
  assert.deepEqual(await wordsOf({ placeholder }), ['don t panic', '', 'dogs']);
  assert.deepEqual(await wordsOf({ placeholder, analyzerParams: '{"type":"english"}' }), [
    'don t panic',
    '',
    'dog',
  ]);
  assert.deepEqual(await wordsOf({ placeholder: [] }), []);
});

test('cuts texts as a field does', async () => {
  const ofField = { collectionName: 'poems', fieldName: 'text', placeholder: texts('Roses') };
  assert.deepEqual(await wordsOf(ofField), ['rose']);
  const verse = { collectionName: 'poems', fieldName: 'verse', placeholder: texts('Roses', 'Roses') };
  assert.deepEqual(await wordsOf(verse), ['roses', 'roses']);
  assert.deepEqual(await wordsOf({ ...verse, analyzerNames: ['en'] }), ['rose', 'rose']);
  assert.deepEqual(await wordsOf({ ...verse, analyzerNames: ['nobody', 'en'] }), ['roses', 'rose']);
});

test('says where words are, in bytes, and their hashes, only when asked', async () => {
  const placeholder = texts('É dogs');
  const [plain] = await run({ placeholder });
  const nothing = { startOffset: 0n, endOffset: 0n, position: 0n, positionLength: 0n, hash: 0 };
  assert.deepEqual(plain?.tokens, [
    { token: 'é', ...nothing },
    { token: 'dogs', ...nothing },
  ]);
  const [detailed] = await run({ placeholder, withDetail: true, withHash: true });
  assert.deepEqual(detailed?.tokens[1], {
    token: 'dogs',
    startOffset: 3n,
    endOffset: 7n,
    position: 1n,
    positionLength: 1n,
    hash: 893_120_179,
  });
});

test('a described collection shows its functions and what they make', async () => {
  const { schema } = await fixture.call('DescribeCollection', { collectionName: 'poems' });
  assert.deepEqual(
    schema?.functions.map(
      ({ id, name, type, inputFieldNames, inputFieldIds, outputFieldNames, outputFieldIds }) => [
        id,
        name,
        type,
        inputFieldNames,
        inputFieldIds,
        outputFieldNames,
        outputFieldIds,
      ],
    ),
    [[100n, 'words', 1, ['text'], [101n], ['sparse'], [104n]]],
  );
  assert.deepEqual(
    schema?.fields.filter(({ isFunctionOutput }) => isFunctionOutput).map(({ name }) => name),
    ['sparse'],
  );
});
