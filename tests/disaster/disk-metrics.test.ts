import assert from 'node:assert/strict';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';

const ROWS = 8_000;
const DIMENSIONS = 256;
const BATCH = 2_000;
const collection_name = 'measured';

test('after a flush the metrics add up to the blocks of the data directory within 1 %', async () => {
  await using server = await ElanusProcess.start();
  const client = new MilvusClient({ address: server.address, maxRetries: 0 });
  await client.connectPromise;
  try {
    await fill(client);
    const memory = sumOf(await metricsOf(server), 'elanus_field_memory_bytes', 'field="vector"');
    assert.ok(memory >= 4 * ROWS * DIMENSIONS, `${memory} bytes of vectors that are in no file`);
    await client.flushSync({ collection_names: [collection_name] });
  } finally {
    await client.closeConnection();
  }
  const lines = await untilFlushed(server);
  const of = (name: string, label = '') => sumOf(lines, name, label);
  const allocated = allocatedBytes(server.dataDirectory);
  const log = of('elanus_directory_bytes', 'part="log"');
  const catalog = of('elanus_directory_bytes', 'part="catalog"');
  const cache = of('elanus_directory_bytes', 'part="cache"');
  const collections = of('elanus_collection_disk_bytes');
  const sum = collections + log + catalog + cache;
  assert.ok(log > 0 && catalog > 0);
  assert.ok(Math.abs(sum - allocated) <= 0.01 * allocated, `${sum} of ${allocated} bytes`);
  assert.equal(of('elanus_segment_rows'), ROWS);
  assert.equal(of('elanus_segment_disk_bytes'), of('elanus_collection_disk_bytes', 'kind="rows"'));
  assert.equal(of('elanus_field_index_disk_bytes'), of('elanus_collection_disk_bytes', 'kind="indexes"'));
  assert.ok(of('elanus_segment_memory_bytes') > 0);
  assert.equal(of('elanus_field_memory_bytes', 'field="vector"'), 0);
  assert.ok(of('elanus_field_mapped_bytes', 'field="vector"') >= 4 * ROWS * DIMENSIONS);
  addsUp(lines);
  assert.ok(of('elanus_field_disk_bytes', 'field="vector"') >= 4 * ROWS * DIMENSIONS);
  // After a start nobody has opened a file.
  await server.kill();
  await server.startAgain();
  const again = await metricsOf(server);
  addsUp(again);
  assert.ok(sumOf(again, 'elanus_field_disk_bytes', '') >= 4 * ROWS * DIMENSIONS);
});

/** What fields and segments have is what the collection has. */
function addsUp(lines: readonly Line[]): void {
  const memory = sumOf(lines, 'elanus_collection_memory_bytes', 'kind="rows"');
  assert.equal(sumOf(lines, 'elanus_segment_memory_bytes', ''), memory);
  assert.equal(sumOf(lines, 'elanus_field_memory_bytes', ''), memory);
  const disk = sumOf(lines, 'elanus_collection_disk_bytes', 'kind="rows"');
  assert.equal(sumOf(lines, 'elanus_field_disk_bytes', ''), disk);
  const mapped = sumOf(lines, 'elanus_collection_mapped_bytes', '');
  assert.equal(sumOf(lines, 'elanus_segment_mapped_bytes', ''), mapped);
  assert.equal(sumOf(lines, 'elanus_field_mapped_bytes', ''), mapped);
}

async function fill(client: MilvusClient): Promise<void> {
  await client.createCollection({
    collection_name,
    fields: [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'vector', data_type: DataType.FloatVector, dim: DIMENSIONS },
    ],
    index_params: [{ field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' }],
  });
  for (let first = 0; first < ROWS; first += BATCH) {
    const data = Array.from({ length: BATCH }, (_, at) => ({
      id: first + at,
      vector: Array.from({ length: DIMENSIONS }, (_, axis) => Math.sin(first + at + axis)),
    }));
    const { status } = await client.insert({ collection_name, data });
    assert.equal(status.error_code, 'Success', status.reason);
  }
}

type Line = readonly [key: string, value: number];

/** The log is cut behind the flush. */
async function untilFlushed(server: ElanusProcess): Promise<readonly Line[]> {
  let before = -1;
  for (;;) {
    const lines = await metricsOf(server);
    const now = allocatedBytes(server.dataDirectory);
    if (now === before) return lines;
    before = now;
    await delay(200);
  }
}

async function metricsOf({ adminAddress }: ElanusProcess): Promise<readonly Line[]> {
  const text = await (await fetch(`http://${adminAddress}/metrics`)).text();
  return text.split('\n').map((line): Line => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))];
  });
}

/** Of the lines of a metric that have a label. */
function sumOf(lines: readonly Line[], name: string, label: string): number {
  return lines
    .filter(([key]) => key.startsWith(`${name}{`) && key.includes(label))
    .reduce((sum, [, value]) => sum + value, 0);
}

function allocatedBytes(path: string): number {
  const status = lstatSync(path);
  const own = status.blocks * 512;
  if (!status.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + allocatedBytes(join(path, name)), own);
}
