import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@elanus/runtime';
import { ElanusProcess } from '@elanus/tests-harness';
import { mustAnswer, ROWS_BY_ROUND } from './rows-by-round.ts';

/** `ELANUS_KILL_ROUNDS=100 npm test disaster/import` is the long form, `ELANUS_KILL_SEED` repeats its moments. */
const rounds = Number(process.env.ELANUS_KILL_ROUNDS ?? 8);
const seed = Number(process.env.ELANUS_KILL_SEED ?? Math.floor(Math.random() * 2 ** 32));

const FILES = 4;
const ROWS_PER_FILE = 6_000;
const ROWS_BEFORE = 100;
/** An import of this size takes about so long: kills fall into it and around its end. */
const KILL_WITHIN_MS = 1_500;

test(`an import shows all of its rows or none through ${rounds} kills (seed ${seed})`, async (context) => {
  const random = seededRandom(seed);
  const directory = await mkdtemp(join(tmpdir(), 'elanus-import-'));
  await using server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
  const must = (path: string, body: object) => mustAnswer(server, path, body);
  const count = async (filter: string): Promise<number> => {
    const data = await must('entities/query', {
      collectionName: 'c',
      filter,
      outputFields: ['count(*)'],
      consistencyLevel: 'Strong',
    });
    return (data as [{ 'count(*)': number }])[0]['count(*)'];
  };
  /**
   * How many rows there are, and how many of those that were there before are as they were: two reads, which say nothing
   * together when the import has ended between them.
   */
  const counts = async (): Promise<readonly number[]> => {
    for (let rows = await count(''); ; ) {
      const before = await count('round == -1');
      const again = await count('');
      if (again === rows) return [rows, before];
      assert.deepEqual([rows, again], [ROWS_BEFORE, FILES * ROWS_PER_FILE], 'all rows have come at once');
      rows = again;
    }
  };

  const files: string[] = [];
  for (let file = 0; file < FILES; file++) {
    const path = join(directory, `${file}.jsonl`);
    const ids = Array.from({ length: ROWS_PER_FILE }, (_, at) => file * ROWS_PER_FILE + at);
    await writeFile(path, ids.map((id) => `{"id":${id},"round":1,"v":[${id},1,2,3]}`).join('\n'));
    files.push(path);
  }
  const none = [ROWS_BEFORE, ROWS_BEFORE];
  const all = [FILES * ROWS_PER_FILE, 0];
  let kills = 0;
  let resumed = 0;
  try {
    while (kills < rounds) {
      await must('collections/drop', { collectionName: 'c' });
      await must('collections/create', { ...ROWS_BY_ROUND, params: { shardsNum: 2 } });
      const data = Array.from({ length: ROWS_BEFORE }, (_, id) => ({ id, round: -1, v: [0, 0, 0, 0] }));
      await must('entities/insert', { collectionName: 'c', data });
      const { jobId } = (await must('jobs/import/create', {
        collectionName: 'c',
        files: files.map((path) => [path]),
      })) as { jobId: string };
      for (;;) {
        if (kills < rounds && random.chance(0.7)) {
          await sleep(random.below(KILL_WITHIN_MS));
          await server.kill();
          kills++;
          await server.startAgain();
          resumed++;
        }
        const found = await counts();
        const job = (await must('jobs/import/describe', { jobId })) as { state: string; reason?: string };
        assert.notEqual(job.state, 'Failed', job.reason ?? '');
        const isWhole = found.join() === all.join();
        assert.ok(isWhole || found.join() === none.join(), `kill ${kills}: ${found} rows, ${job.state}`);
        if (job.state !== 'Completed') {
          await sleep(20);
          continue;
        }
        assert.deepEqual(await counts(), all, `kill ${kills}: after the end`);
        break;
      }
    }
    context.diagnostic(`${kills} kills, ${resumed} starts`);
  } finally {
    await rm(directory, { recursive: true });
  }
});
