import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLogger } from '@elanus/runtime';
import { readConfiguration } from './config/read-configuration.ts';
import { launch, type RunningServer } from './launch.ts';
import { ask, queryKeys, send } from './testing/rest-calls.ts';

const root = mkdtempSync(join(tmpdir(), 'elanus-word-files-'));
after(() => rmSync(root, { recursive: true }));
const files = join(root, 'files');
const data = join(root, 'data');
mkdirSync(files);
const synonyms = join(files, 'synonyms.txt');
writeFileSync(synonyms, 'kite, hawk\r\nauto => car\n');
const outside = join(root, 'outside.txt');
writeFileSync(outside, 'secret\n');

async function withServer(work: (server: RunningServer) => Promise<void>): Promise<void> {
  const environment = { ELANUS_IMPORT_DIRECTORY: files };
  const configuration = await readConfiguration({ data, port: '0', adminPort: '0' }, environment, '/');
  await using server = await launch({ configuration, logger: silentLogger });
  await work(server);
}

const ANALYZER = {
  tokenizer: 'standard',
  filter: [
    'lowercase',
    { type: 'stop', stop_words_file: { type: 'remote', resource_name: 'stops', file_name: 'stops.txt' } },
    { type: 'synonym', synonyms_file: { type: 'local', path: synonyms } },
  ],
};

async function createBirds(server: RunningServer): Promise<void> {
  const analyzer_params = JSON.stringify(ANALYZER);
  await ask(server, 'collections/create', {
    collectionName: 'birds',
    schema: {
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        {
          fieldName: 'text',
          dataType: 'VarChar',
          elementTypeParams: { max_length: 100, enable_analyzer: true, enable_match: true, analyzer_params },
        },
        { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
      ],
    },
    indexParams: [{ fieldName: 'v', metricType: 'L2', indexType: 'FLAT' }],
  });
  const rows = ['a kite', 'the hawk', 'a red car'].map((text, id) => ({ id, text, v: [id, 0] }));
  await ask(server, 'entities/insert', { collectionName: 'birds', data: rows });
}

async function idsWith(server: RunningServer, words: string): Promise<unknown> {
  const { data: found } = await queryKeys(server, 'birds', {
    filter: `text_match(text, "${words}")`,
    outputFields: ['id'],
  });
  return (found as { id: number }[]).map(({ id }) => Number(id));
}

describe('files of words', () => {
  it('are read when a field is made, and mean the same after they are gone and after a start', async () => {
    await withServer(async (server) => {
      const missing = await send(server, 'file_resources/add', { name: 'stops', path: 'words/stops.txt' });
      assert.match(String(missing.message), /does not exist/);
      mkdirSync(join(data, 'objects/words'), { recursive: true });
      writeFileSync(join(data, 'objects/words/stops.txt'), 'a\nthe\n');
      for (let twice = 0; twice < 2; twice++)
        await ask(server, 'file_resources/add', { name: 'stops', path: 'words/stops.txt' });
      const { data: listed } = await ask(server, 'file_resources/list', {});
      assert.deepEqual(
        (listed as { name: string; path: string }[]).map(({ name, path }) => [name, path]),
        [['stops', 'words/stops.txt']],
      );
      await createBirds(server);
      const described = await ask(server, 'collections/describe', { collectionName: 'birds' });
      assert.ok(!JSON.stringify(described).includes('elanus.inlined'), 'what was read is shown to nobody');
      assert.ok(JSON.stringify(described).includes('stops.txt'));
      const used = await send(server, 'file_resources/remove', { name: 'stops' });
      assert.match(String(used.message), /is used by collection birds/);
    });
    rmSync(join(data, 'objects/words'), { recursive: true });
    rmSync(synonyms);
    await withServer(async (server) => {
      assert.deepEqual(await idsWith(server, 'hawk'), [0, 1]);
      assert.deepEqual(await idsWith(server, 'auto'), [2]);
      assert.deepEqual(await idsWith(server, 'a'), []);
      await ask(server, 'collections/drop', { collectionName: 'birds' });
      await ask(server, 'file_resources/remove', { name: 'stops' });
      assert.deepEqual((await ask(server, 'file_resources/list', {})).data, []);
    });
  });

  it('are refused where a client may read none', () =>
    withServer(async (server) => {
      const stop = (stop_words_file: unknown) => ({
        tokenizer: 'standard',
        filter: [{ type: 'stop', stop_words_file }],
      });
      const cases: readonly (readonly [file: unknown, message: RegExp])[] = [
        [{ type: 'local', path: outside }, /not allowed|outside|may be read/],
        [{ type: 'local', path: 'stops.txt' }, /should be absolute/],
        [{ type: 'local', path: join(files, 'none.txt') }, /does not exist/],
        [{ type: 'remote', resource_name: 'x', file_name: 'y' }, /file resource: x not found/],
        [{ type: 'remote', resource_name: 'x' }, /file name of remote file .* must be set/],
        [{ type: 'ftp' }, /unsupported file type ftp of stop words dict file/],
        [{}, /file type of stop words dict file must be set/],
        ['stops.txt', /file config of stop words dict file must be object/],
      ];
      for (const [file, message] of cases) {
        const analyzerParams = JSON.stringify(stop(file));
        const answer = await send(server, 'common/run_analyzer', { text: ['x'], analyzerParams });
        assert.match(String(answer.message), message);
      }
      const big = join(files, 'big.txt');
      writeFileSync(big, 'word\n'.repeat(60_000));
      const answer = await send(server, 'common/run_analyzer', {
        text: ['x'],
        analyzerParams: JSON.stringify(stop({ type: 'local', path: big })),
      });
      assert.match(String(answer.message), /more than 262144 characters/);
    }));
});
