import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@elanus/runtime';
import { ElanusProcess } from '@elanus/tests-harness';
import { mustAnswer, ROWS_BY_ROUND } from './rows-by-round.ts';

/** `ELANUS_KILL_ROUNDS=100 npm test disaster/export` is the long form, `ELANUS_KILL_SEED` repeats its moments. */
const rounds = Number(process.env.ELANUS_KILL_ROUNDS ?? 4);
const seed = Number(process.env.ELANUS_KILL_SEED ?? Math.floor(Math.random() * 2 ** 32));

const ROWS = 10_000;
const BATCH_ROWS = 5_000;
/** An export of this size takes about so long: kills fall into it and around its end. */
const KILL_WITHIN_MS = 400;

interface Job {
  readonly state: string;
  readonly reason?: string;
  readonly timestamp: string;
  readonly files: readonly string[];
  readonly exportedRows: number;
}

test(`an export has the rows of one moment through ${rounds} kills (seed ${seed})`, async (context) => {
  const random = seededRandom(seed);
  const directory = await mkdtemp(join(tmpdir(), 'elanus-export-'));
  await using server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
  const must = (path: string, body: object) => mustAnswer(server, path, body);
  const described = async (jobId: string) => (await must('jobs/export/describe', { jobId })) as Job;
  await must('collections/create', ROWS_BY_ROUND);
  /** All rows, with the number of the round that has written them. */
  const write = async (round: number) => {
    for (let from = 0; from < ROWS; from += BATCH_ROWS) {
      const data = Array.from({ length: BATCH_ROWS }, (_, at) => ({ id: from + at, round, v: [0, 1, 2, 3] }));
      await must('entities/insert', { collectionName: 'c', data });
    }
  };
  let interrupted = 0;
  let kept = 0;
  try {
    await write(0);
    for (let round = 0; round < rounds; round++) {
      const format = round % 2 === 0 ? 'numpy' : 'jsonl';
      const path = join(directory, String(round));
      const { jobId } = (await must('jobs/export/create', { collectionName: 'c', format, path })) as {
        jobId: string;
      };
      await sleep(random.below(KILL_WITHIN_MS));
      let told = await described(jobId);
      // Every fourth kill comes when a file is complete and others are not, as far as anybody can aim.
      while (round % 4 === 0 && told.files.length === 0) told = await described(jobId);
      const written = await Promise.all(told.files.map(async (file) => (await stat(file)).mtimeMs));
      await server.kill();
      await server.startAgain();
      // Whoever was told the moment gets the rows of that moment, whatever is written later.
      const isMomentKnown = told.timestamp !== '0';
      if (isMomentKnown) await write(round + 1);
      let job = await described(jobId);
      if (told.state !== 'Completed') interrupted++;
      for (; job.state !== 'Completed'; job = await described(jobId)) {
        assert.notEqual(job.state, 'Failed', job.reason ?? '');
        await sleep(10);
      }
      assert.equal(job.exportedRows, ROWS);
      if (isMomentKnown) assert.equal(job.timestamp, told.timestamp);
      const times = await Promise.all(told.files.map(async (file) => (await stat(file)).mtimeMs));
      assert.deepEqual(times, written, 'files that were complete are as they were');
      if (told.state !== 'Completed') kept += times.length;
      const exported = format === 'numpy' ? await numbersOf(path) : await linesOf(path);
      const ids = exported.map(([id]) => id);
      assert.equal(ids.length, ROWS);
      assert.deepEqual(ids, Array.from(ids.keys()), `round ${round}: keys`);
      assert.deepEqual([...new Set(exported.map(([, own]) => own))], [round], `round ${round}: versions`);
      if (!isMomentKnown) await write(round + 1);
    }
    context.diagnostic(`${interrupted} of ${rounds} exports were interrupted, ${kept} files were kept`);
  } finally {
    await rm(directory, { recursive: true });
  }
});

type KeyAndRound = readonly [id: number, round: number];

async function linesOf(path: string): Promise<readonly KeyAndRound[]> {
  const lines = (await readFile(join(path, '0.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { id, round } = JSON.parse(line) as { id: number; round: number };
    return [id, round];
  });
}

async function numbersOf(path: string): Promise<readonly KeyAndRound[]> {
  const [ids, versions] = await Promise.all(
    ['id', 'round'].map((name) => int64sOf(join(path, `${name}.npy`))),
  );
  return Array.from(ids!, (id, row) => [id, versions![row]!]);
}

/** The numbers of a .npy file, which lie behind a header that says its own length. */
async function int64sOf(path: string): Promise<readonly number[]> {
  const bytes = await readFile(path);
  const numbers = bytes.subarray(10 + bytes.readUInt16LE(8));
  return Array.from({ length: numbers.length / 8 }, (_, at) => Number(numbers.readBigInt64LE(8 * at)));
}
