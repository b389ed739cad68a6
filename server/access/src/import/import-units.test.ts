import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MilvusError } from '@elanus/model';
import { readImportOptions } from './import-options.ts';
import { kindOf, unitsOf } from './import-units.ts';

const isImportFailure = (error: unknown): boolean => error instanceof MilvusError && error.code === 2100;

describe('the files of an import', () => {
  it('are of the kind that their ending says', () => {
    const kinds = ['a.json', 'A.JSONL', 'b.ndjson', 'c.csv', 'd.parquet', 'e/f.npy'].map(kindOf);
    assert.deepEqual(kinds, ['json', 'json lines', 'json lines', 'csv', 'parquet', 'numpy']);
  });

  it('are units by themselves, NumPy’s by their folders', () => {
    assert.deepEqual(unitsOf(['a.csv', 'b/c.csv']), [['a.csv'], ['b/c.csv']]);
    const numpy = ['1/id.npy', '2/id.npy', '1/v.npy', '2/v.npy'];
    assert.deepEqual(unitsOf(numpy), [
      ['1/id.npy', '1/v.npy'],
      ['2/id.npy', '2/v.npy'],
    ]);
  });

  for (const paths of [
    [],
    ['a'],
    ['a.json', 'b.csv'],
    ['../a.json'],
    ['a/./b.csv'],
    ['a\0.csv'],
    ['x/a.npy', 'x/a.npy'],
  ])
    it(`are refused: ${JSON.stringify(paths)}`, () => {
      assert.throws(() => unitsOf(paths), isImportFailure);
    });
});

describe('the options of an import', () => {
  const read = (options: Readonly<Record<string, string>>) =>
    readImportOptions(Object.entries(options).map(([key, value]) => ({ key, value })));

  it('have defaults, and keys without a meaning are passed over', () => {
    const expected = {
      kind: 'import',
      separator: ',',
      nullText: '',
      timeoutMs: null,
      commit: 'at the end',
    };
    assert.deepEqual(read({}), expected);
    const meaningless = { bucket: 'b', storage_version: '2', backup: 'false', auto_commit: 'maybe' };
    assert.deepEqual(read(meaningless), expected);
  });

  it('are read as Milvus writes them', () => {
    const options = {
      timeout: '1h30m',
      sep: ';',
      nullkey: 'NULL',
      dry_run: 'True',
      auto_commit: 'False',
    };
    assert.deepEqual(read(options), {
      kind: 'rehearsal',
      separator: ';',
      nullText: 'NULL',
      timeoutMs: 5_400_000,
      commit: 'when asked',
    });
    assert.equal(read({ auto_commit: 'true' }).commit, 'at the end');
  });

  for (const options of [
    { sep: '' },
    { sep: '"' },
    { sep: 'ab' },
    { timeout: '5' },
    { l0_import: 'true' },
    { backup: '1' },
  ])
    it(`are refused: ${JSON.stringify(options)}`, () => {
      assert.throws(() => read(options as Record<string, string>), isImportFailure);
    });
});
