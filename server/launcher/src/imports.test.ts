import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@elanus/runtime';
import { readConfiguration } from './config/read-configuration.ts';
import { launch, type RunningServer } from './launch.ts';
import { ask, keysOf, queryKeys, send } from './testing/rest-calls.ts';

const root = mkdtempSync(join(tmpdir(), 'elanus-imports-'));
after(() => rmSync(root, { recursive: true }));
const files = join(root, 'files');
mkdirSync(files);
const outside = join(root, 'outside.json');
writeFileSync(outside, '[{"id":1,"v":[1,2]}]');
symlinkSync(outside, join(files, 'link.json'));
symlinkSync(root, join(files, 'up'));

let servers = 0;

/** `restarted` stops the server and starts it again. */
async function withServer(
  work: (server: RunningServer, restarted: () => Promise<RunningServer>) => Promise<void>,
): Promise<void> {
  const environment = { ELANUS_IMPORT_DIRECTORY: files };
  const data = join(root, `data-${servers++}`);
  const configuration = await readConfiguration({ data, port: '0', adminPort: '0' }, environment, '/');
  let server = await launch({ configuration, logger: silentLogger });
  try {
    await work(server, async () => {
      await server.close();
      server = await launch({ configuration, logger: silentLogger });
      return server;
    });
  } finally {
    await server.close();
  }
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(files, name);
  writeFileSync(path, content);
  return path;
}

interface Described {
  readonly state: string;
  readonly progress: number;
  readonly importedRows: number;
  readonly reason?: string;
  readonly details: readonly { readonly fileName: string; readonly reason?: string }[];
}

/** Begins an import and says which. */
async function begun(
  server: RunningServer,
  sets: readonly (readonly string[])[],
  more: object = {},
): Promise<string> {
  const request = { collectionName: 'birds', files: sets, ...more };
  const { data } = await ask(server, 'jobs/import/create', request);
  return (data as { jobId: string }).jobId;
}

async function described(server: RunningServer, jobId: string): Promise<Described> {
  return (await ask(server, 'jobs/import/describe', { jobId })).data as Described;
}

/** Waits until the import is in the state, or has ended otherwise. */
async function reached(server: RunningServer, jobId: string, state: string): Promise<Described> {
  for (;;) {
    const job = await described(server, jobId);
    if (job.state === state) return job;
    assert.ok(!['Completed', 'Failed'].includes(job.state), job.reason ?? job.state);
    await sleep(10);
  }
}

/** Imports and waits for the end. */
async function importFiles(
  server: RunningServer,
  collectionName: string,
  sets: readonly (readonly string[])[],
  more: object = {},
): Promise<Described> {
  const jobId = await begun(server, sets, { collectionName, ...more });
  for (;;) {
    const job = await described(server, jobId);
    if (job.state === 'Completed' || job.state === 'Failed') return job;
    await sleep(10);
  }
}

async function createBirds(server: RunningServer, more: object = {}): Promise<void> {
  await ask(server, 'collections/create', {
    collectionName: 'birds',
    schema: {
      enableDynamicField: true,
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        { fieldName: 'name', dataType: 'VarChar', elementTypeParams: { max_length: 8 }, nullable: true },
        { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
      ],
      ...more,
    },
    indexParams: [{ fieldName: 'v', metricType: 'L2', indexType: 'FLAT' }],
  });
}

async function birds(server: RunningServer): Promise<unknown> {
  const outputFields = ['id', 'name', 'v', '$meta'];
  const { data } = await queryKeys(server, 'birds', { outputFields });
  return data;
}

describe('an import', () => {
  it('takes rows of JSON, JSON lines, CSV and NumPy alike', () =>
    withServer(async (server) => {
      await createBirds(server);
      const rows = [
        { id: 1, name: 'kite', v: [1, 2], wings: 2 },
        { id: 2, name: null, v: [3, 4], $meta: { wings: 4 } },
      ];
      const vectors = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
      const npy = (descr: string, shape: string, data: Uint8Array) => {
        const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
        const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
        head.writeUInt16LE(header.length, 8);
        return Buffer.concat([head, data]);
      };
      mkdirSync(join(files, 'numpy'));
      const sets = [
        [file('a.json', JSON.stringify({ rows }))],
        [file('b.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'))],
        [file('c.csv', 'id,name,v,$meta\n1,kite,"[1,2]","{""wings"":2}"\n2,,"[3,4]","{""wings"":4}"\n')],
        [
          file('numpy/id.npy', npy('<i8', '2,', new Uint8Array(BigInt64Array.of(1n, 2n).buffer))),
          file('numpy/v.npy', npy('<f4', '2, 2', vectors)),
          file('numpy/$meta.npy', npy('|S11', '2,', Buffer.from('{"wings":2}{"wings":4}'))),
        ],
      ];
      const seen: unknown[] = [];
      for (const set of sets) {
        const { state, importedRows, reason } = await importFiles(server, 'birds', [set]);
        assert.deepEqual([state, importedRows], ['Completed', 2], reason ?? state);
        seen.push(await birds(server));
        await ask(server, 'entities/delete', { collectionName: 'birds', filter: 'id >= 0' });
      }
      const expected = [
        { id: 1, name: 'kite', v: [1, 2], wings: 2 },
        { id: 2, name: null, v: [3, 4], wings: 4 },
      ];
      assert.deepEqual(seen.slice(0, 3), [expected, expected, expected]);
      assert.deepEqual(
        seen[3],
        expected.map((row) => ({ ...row, name: null })),
      );
    }));

  it('is all or nothing, and names file, row and field of what is wrong', () =>
    withServer(async (server) => {
      await createBirds(server);
      await ask(server, 'entities/insert', { collectionName: 'birds', data: [{ id: 7, v: [0, 0] }] });
      const good = file('good.json', JSON.stringify([{ id: 7, name: 'new', v: [1, 1] }]));
      const rows = Array.from({ length: 9_000 }, (_, id) => ({ id, v: [id, id] as unknown }));
      rows[8_123]!.v = [1, 2, 3];
      rows[8_125] = { id: 8_125, v: 'x' };
      const bad = file('bad.json', JSON.stringify(rows));
      const ended = await importFiles(server, 'birds', [[good], [bad]]);
      assert.equal(ended.state, 'Failed');
      assert.match(ended.reason!, /bad\.json: row 8123: the vector field v .* row 8125: the vector field v/);
      assert.match(ended.details[1]!.reason!, /^row 8123: /);
      assert.equal(ended.importedRows, 0);
      assert.deepEqual(await birds(server), [{ id: 7, name: null, v: [0, 0] }]);
      const long = file('long.json', JSON.stringify([{ id: 1, v: [1, 1], name: 'x'.repeat(9) }]));
      assert.match(
        (await importFiles(server, 'birds', [[long]])).reason!,
        /long\.json: row 0: .*name.*max length/s,
      );
    }));

  it('replaces rows of the same keys, at once', () =>
    withServer(async (server) => {
      await createBirds(server);
      await ask(server, 'entities/insert', {
        collectionName: 'birds',
        data: [
          { id: 1, v: [0, 0] },
          { id: 9, v: [9, 9] },
        ],
      });
      const path = file(
        'more.json',
        JSON.stringify([
          { id: 1, v: [1, 1] },
          { id: 2, v: [2, 2] },
        ]),
      );
      assert.equal((await importFiles(server, 'birds', [[path]])).state, 'Completed');
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), [1, 2, 9]);
    }));

  it('rehearsed tells all mistakes and writes nothing', () =>
    withServer(async (server) => {
      await createBirds(server);
      const rows = [{ id: 1, v: [1, 1] }, { id: 2 }, { id: 'x', v: [1, 1] }];
      const path = file('rehearsed.json', JSON.stringify(rows));
      const ended = await importFiles(server, 'birds', [[path]], { options: { dry_run: 'true' } });
      assert.equal(ended.state, 'Failed');
      assert.match(
        ended.details[0]!.reason!,
        /row 1: has no value for the field v; row 2: the field id cannot be x/,
      );
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), []);
      const fine = file('fine.json', JSON.stringify(rows.slice(0, 1)));
      const second = await importFiles(server, 'birds', [[fine]], { options: { dry_run: 'true' } });
      assert.equal(second.state, 'Completed');
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), []);
    }));

  it('makes keys, sends rows to the partitions of their keys and to the one that is named', () =>
    withServer(async (server) => {
      await ask(server, 'collections/create', {
        collectionName: 'keyed',
        schema: {
          autoID: true,
          fields: [
            { fieldName: 'id', dataType: 'Int64', isPrimary: true },
            { fieldName: 'tenant', dataType: 'Int64', isPartitionKey: true },
            { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
          ],
        },
        params: { partitionsNum: 4, shardsNum: 2 },
        indexParams: [{ fieldName: 'v', metricType: 'L2', indexType: 'FLAT' }],
      });
      const rows = Array.from({ length: 100 }, (_, at) => ({ tenant: at % 10, v: [at, 0] }));
      const path = file('keyed.json', JSON.stringify(rows));
      assert.equal((await importFiles(server, 'keyed', [[path]])).state, 'Completed');
      const { data } = await queryKeys(server, 'keyed', { filter: 'tenant == 3', outputFields: ['tenant'] });
      assert.equal((data as unknown[]).length, 10);
      const refused = await send(server, 'jobs/import/create', {
        collectionName: 'keyed',
        partitionName: '_default_0',
        files: [[path]],
      });
      assert.equal(refused.code, 2100);
      await createBirds(server);
      await ask(server, 'partitions/create', { collectionName: 'birds', partitionName: 'north' });
      const birdsPath = file('north.json', JSON.stringify([{ id: 1, v: [1, 1] }]));
      await importFiles(server, 'birds', [[birdsPath]], { partitionName: 'north' });
      assert.deepEqual(keysOf(await queryKeys(server, 'birds', { partitionNames: ['north'] })), [1]);
    }));

  for (const path of [
    outside,
    join(files, 'link.json'),
    join(files, 'up', 'outside.json'),
    'no-such-key.json',
  ])
    it(`reads nothing at ${path.slice(root.length)}`, () =>
      withServer(async (server) => {
        await createBirds(server);
        const ended = await importFiles(server, 'birds', [[path]]);
        assert.match(ended.reason ?? '', /does not exist/);
      }));

  it('waits to be committed where it is told to, through a restart, and is committed as often as it is asked', () =>
    withServer(async (server, restarted) => {
      await createBirds(server);
      const path = file('waiting.json', JSON.stringify([{ id: 1, name: 'kite', v: [1, 1] }]));
      const jobId = await begun(server, [[path]], { options: { auto_commit: 'false' } });
      const waiting = await reached(server, jobId, 'Uncommitted');
      assert.deepEqual([waiting.progress, waiting.importedRows], [99, 1]);
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), []);
      // What waits keeps no other import from its end, and knows what the collection has become.
      assert.equal(
        (await importFiles(server, 'birds', [[file('now.json', '[{"id":2,"v":[2,2]}]')]])).state,
        'Completed',
      );
      const added = { fieldName: 'more', dataType: 'Int64', nullable: true };
      await ask(server, 'collections/fields/add', { collectionName: 'birds', schema: added });
      const again = await restarted();
      assert.equal((await described(again, jobId)).state, 'Uncommitted');
      assert.deepEqual(keysOf(await queryKeys(again, 'birds')), [2]);
      await ask(again, 'jobs/import/commit', { jobId });
      await ask(again, 'jobs/import/commit', { jobId });
      await reached(again, jobId, 'Completed');
      await ask(again, 'jobs/import/commit', { jobId });
      assert.equal((await send(again, 'jobs/import/abort', { jobId })).code, 2100);
      const { data } = await queryKeys(again, 'birds', { filter: 'id == 1', outputFields: ['*'] });
      assert.deepEqual(data, [{ id: 1, name: 'kite', v: [1, 1], more: null }]);
    }));

  it('is given up where it waits or reads, and leaves nothing', () =>
    withServer(async (server) => {
      await createBirds(server);
      const path = file('given-up.json', JSON.stringify([{ id: 1, v: [1, 1] }]));
      const options = { auto_commit: 'false' };
      const waiting = await begun(server, [[path]], { options });
      await reached(server, waiting, 'Uncommitted');
      const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, v: [id, id] }));
      const reading = await begun(server, [[file('long.json', JSON.stringify(rows))]], { options });
      const pending = await begun(server, [[path]]);
      for (const jobId of [waiting, pending, reading]) {
        await ask(server, 'jobs/import/abort', { jobId });
        await ask(server, 'jobs/import/abort', { jobId });
        const { state, reason } = await described(server, jobId);
        assert.deepEqual([state, reason], ['Failed', 'aborted by user: importing data failed']);
        assert.equal((await send(server, 'jobs/import/commit', { jobId })).code, 2100);
      }
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), []);
      for (const jobId of ['17', 'x'])
        for (const path of ['commit', 'abort'])
          assert.equal((await send(server, `jobs/import/${path}`, { jobId })).code, 2100);
    }));

  it('reads CSV with the separator and the word for null that it is told', () =>
    withServer(async (server) => {
      await createBirds(server);
      const path = file('other.csv', 'id;name;v\n1;none;"[1,2]"\n2;"";[3,4]\n');
      const options = { sep: ';', nullkey: 'none', timeout: '1h30m', unknown: 'x' };
      assert.equal((await importFiles(server, 'birds', [[path]], { options })).state, 'Completed');
      assert.deepEqual(await birds(server), [
        { id: 1, name: null, v: [1, 2] },
        { id: 2, name: '', v: [3, 4] },
      ]);
    }));

  it('ends when its time is over, and leaves nothing', () =>
    withServer(async (server) => {
      await createBirds(server);
      const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, v: [id, id] }));
      const path = file('late.json', JSON.stringify(rows));
      const ended = await importFiles(server, 'birds', [[path]], { options: { timeout: '1ms' } });
      assert.match(ended.reason!, /import timeout expired/);
      assert.deepEqual([ended.state, ended.progress, ended.importedRows], ['Failed', 0, 0]);
      assert.deepEqual(keysOf(await queryKeys(server, 'birds')), []);
    }));

  it('is refused at once for requests that can come to nothing', () =>
    withServer(async (server) => {
      await createBirds(server);
      const good = file('fine.json', '[]');
      const refusals: readonly (readonly [more: object, code: number, text: RegExp])[] = [
        [{ files: [['a.txt']] }, 2100, /unexpected file type/],
        [{ files: [] }, 2100, /empty/],
        [{ files: [['a.json', 'b.json']] }, 2100, /each list takes one file/],
        [{ files: [['a.json'], ['b.csv']] }, 2100, /inconsistency in file types/],
        [
          {
            files: [[join(files, '..', 'outside.json')].map((path) => path.replace('outside', '../outside'))],
          },
          2100,
          /not valid/,
        ],
        [{ files: ['a.json'] }, 1801, /list of lists/],
        [{ files: [[good]], collectionName: 'no' }, 100, /no/],
        [{ files: [[good]], partitionName: 'no' }, 200, /no/],
        [{ files: [[good]], options: { sep: '\n' } }, 2100, /separator/],
        [{ files: [[good]], options: { backup: 'true' } }, 2100, /backup/],
        [{ files: [[good]], options: { timeout: 'soon' } }, 2100, /timeout/],
      ];
      for (const [more, code, text] of refusals) {
        const answer = await send(server, 'jobs/import/create', { collectionName: 'birds', ...more });
        assert.equal(answer.code, code, JSON.stringify([more, answer]));
        assert.match(answer.message!, text);
      }
      assert.equal((await send(server, 'jobs/import/describe', { jobId: '17' })).code, 2100);
      const { data } = await ask(server, 'jobs/import/list', { collectionName: 'birds' });
      assert.deepEqual(data, { records: [] });
    }));
});
