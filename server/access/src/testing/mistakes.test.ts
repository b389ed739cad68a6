import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefinitionFixture } from '../definition/definition-fixture.ts';
import type { Mistake } from './mistake.ts';
import { isInputError, legacyCodeOf } from './mistake.ts';
import { MISTAKES } from './mistakes.ts';
import { PREPARED_COLLECTIONS } from './prepared-collections.ts';

const fixture = await DefinitionFixture.open();
for (const { method, request } of PREPARED_COLLECTIONS) await fixture.call(method, request);

/** The same tables run against a real server in tests/disaster. */
for (const [method, mistakes] of MISTAKES) {
  for (const mistake of mistakes) {
    test(`${method} with ${mistake.what} changes nothing`, async () => {
      const before = fixture.catalogBytes();
      await checkAnswer(mistake);
      assert.equal(fixture.catalogBytes(), before);
    });
  }
}

async function checkAnswer(mistake: Mistake): Promise<void> {
  const { method, request, database, told } = mistake;
  if (told.code === 0) {
    await fixture.call(method, request, database);
    return;
  }
  const { code, legacyCode, message, retriable, inputError } = await fixture.failure(
    method,
    request,
    database,
  );
  if (typeof told.reason === 'string') assert.equal(message, told.reason);
  else assert.match(message, told.reason);
  assert.deepEqual(
    { code, legacyCode, retriable, inputError },
    {
      code: told.code,
      legacyCode: legacyCodeOf(mistake),
      retriable: false,
      inputError: isInputError(mistake),
    },
  );
}
