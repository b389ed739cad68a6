/**
 * Writers insert, upsert and delete over several connections while flushes move rows to files and compactions put these
 * together; the server is killed at a random moment and started again on the same directory; then every acknowledged operation must be there exactly once, no
 * refused one, and an unanswered one whole or not at all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { Ledger, type Operation } from './ledger.ts';
import { seededRandom } from './seeded-random.ts';

const COLLECTION = 'disaster';
const WRITERS = 4;
const KEYS_PER_OPERATION_MAX = 40;
const QUERY_PAGE_ROWS = 10_000;
const KILL_WITHIN_MS = 400;
/** Between two flushes at most. */
const FLUSH_PAUSE_MS = 60;
/** Flushes that a compaction follows. */
const COMPACTION_SHARE = 0.4;
const DIMENSIONS = 8;
const CONNECT_TRIES = 40;
const CONNECT_PAUSE_MS = 250;
const OWN_CONNECTIONS = { 'grpc.use_local_subchannel_pool': 1 } as const;

export interface KillNineOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** Runs the rounds and returns one sentence for every broken promise; none means all held. */
export async function killNine({ rounds, seed, say }: KillNineOptions): Promise<string[]> {
  const random = seededRandom(seed);
  const ledger = new Ledger();
  const keys = keySource();
  const complaints: string[] = [];
  await using server = await ElanusProcess.start();
  await createCollection(server.address);
  for (let round = 1; round <= rounds && complaints.length === 0; round += 1) {
    const operations = await writeUntilKilled(server, ledger, keys, random);
    await server.startAgain();
    const rows = await allRows(server.address);
    complaints.push(...ledger.reconcile(rows).map((text) => `round ${round}, seed ${seed}: ${text}`));
    complaints.push(...(await countComplaints(server.address, rows.length)));
    say(`round ${round} of ${rounds}: ${operations} operations answered, ${rows.length} rows found`);
  }
  return complaints;
}

async function writeUntilKilled(
  server: ElanusProcess,
  ledger: Ledger,
  keys: () => bigint,
  random: () => number,
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: WRITERS + 1 }, () => connect(server.address)));
  const state = { running: true, answered: 0 };
  const busyKeys = new Set<bigint>();
  const firstAnswer = Promise.withResolvers<void>();
  const flusher = flushUntilKilled(clients[WRITERS]!, state, random);
  const writers = clients.slice(0, WRITERS).map(async (client) => {
    while (state.running) {
      const operation = nextOperation(ledger, keys, busyKeys, random);
      for (const key of operation.keys) busyKeys.add(key);
      ledger.sent(operation);
      const answer = await perform(client, operation, random);
      if (answer === 'unknown') return; // The keys stay busy: only the restart tells what became of them.
      if (answer === 'acknowledged') ledger.acknowledged(operation);
      else ledger.refused(operation);
      state.answered += 1;
      firstAnswer.resolve();
      for (const key of operation.keys) busyKeys.delete(key);
    }
  });
  // However busy the machine is: a kill before there is anything to lose proves nothing.
  await Promise.race([firstAnswer.promise, Promise.all(writers)]);
  await sleep(random() * KILL_WITHIN_MS);
  await server.kill();
  state.running = false;
  await Promise.all([...writers, flusher]);
  await Promise.allSettled(clients.map((client) => client.closeConnection()));
  return state.answered;
}

/** Begins flushes one after the other, and now and then a compaction, whatever becomes of them. */
async function flushUntilKilled(
  client: MilvusClient,
  state: { readonly running: boolean },
  random: () => number,
): Promise<void> {
  while (state.running) {
    await sleep(random() * FLUSH_PAUSE_MS);
    try {
      await client.flush({ collection_names: [COLLECTION] });
      if (random() < COMPACTION_SHARE) await client.compact({ collection_name: COLLECTION });
    } catch {
      return;
    }
  }
}

/** New keys are inserted or upserted; keys that are there are deleted, or replaced by an insert or an upsert. */
function nextOperation(
  ledger: Ledger,
  keys: () => bigint,
  busyKeys: ReadonlySet<bigint>,
  random: () => number,
): Operation {
  const kind = random() < 0.5 ? 'insert' : 'upsert';
  const count = 1 + Math.floor(random() * KEYS_PER_OPERATION_MAX);
  const known = ledger.settledKeys().filter((key) => !busyKeys.has(key));
  const dice = random();
  if (known.length > count && dice < 0.5) {
    const start = Math.floor(random() * (known.length - count));
    const chosen = known.slice(start, start + count);
    return dice < 0.2 ? { kind: 'delete', keys: chosen } : { kind, keys: chosen, value: keys() };
  }
  return { kind, keys: Array.from({ length: count }, keys), value: keys() };
}

/** `unknown`: the connection broke, the operation may or may not have happened. */
async function perform(
  client: MilvusClient,
  operation: Operation,
  random: () => number,
): Promise<'acknowledged' | 'refused' | 'unknown'> {
  try {
    if (operation.kind === 'delete') {
      const { status } = await client.delete({
        collection_name: COLLECTION,
        filter: `id in [${operation.keys.join(', ')}]`,
      });
      return status.error_code === 'Success' ? 'acknowledged' : 'refused';
    }
    // One request in ten carries a text that is too long: it must be refused and leave nothing behind.
    const note = random() < 0.1 ? 'x'.repeat(100) : 'kept';
    const data = operation.keys.map((key) => ({
      id: key.toString(),
      value: operation.value.toString(),
      note,
      vector: Array.from({ length: DIMENSIONS }, () => Math.random()),
    }));
    const { status } = await client[operation.kind]({ collection_name: COLLECTION, data });
    return status.error_code === 'Success' ? 'acknowledged' : 'refused';
  } catch {
    return 'unknown';
  }
}

async function createCollection(address: string): Promise<void> {
  const client = await connect(address);
  const created = await client.createCollection({
    collection_name: COLLECTION,
    shards_num: 3,
    fields: [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'value', data_type: DataType.Int64 },
      { name: 'note', data_type: DataType.VarChar, max_length: 20 },
      { name: 'vector', data_type: DataType.FloatVector, dim: DIMENSIONS },
    ],
    index_params: [{ field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' }],
  });
  if (created.error_code !== 'Success') throw new Error(created.reason);
  await client.loadCollectionSync({ collection_name: COLLECTION });
  await client.closeConnection();
}

async function allRows(address: string): Promise<{ key: bigint; value: bigint }[]> {
  const client = await connect(address);
  const rows: { key: bigint; value: bigint }[] = [];
  for (let last = -1n; ; last = rows.at(-1)!.key) {
    const { data, status } = await client.query({
      collection_name: COLLECTION,
      filter: `id > ${last}`,
      output_fields: ['id', 'value'],
      limit: QUERY_PAGE_ROWS,
      consistency_level: 'Strong' as never,
    });
    if (status.error_code !== 'Success') throw new Error(status.reason);
    rows.push(...data.map((row) => ({ key: BigInt(row.id), value: BigInt(row.value) })));
    if (data.length < QUERY_PAGE_ROWS) break;
  }
  await client.closeConnection();
  return rows;
}

async function countComplaints(address: string, found: number): Promise<string[]> {
  const client = await connect(address);
  const { data } = await client.count({ collection_name: COLLECTION });
  await client.closeConnection();
  return Number(data) === found ? [] : [`count(*) says ${data}, a query found ${found} rows`];
}

/**
 * A client that is connected. A port may come again after a kill, and grpc-js remembers failures by address for all its
 * channels: each client gets a memory of its own. One that cannot connect is tried again, which no operation is.
 */
async function connect(address: string): Promise<MilvusClient> {
  for (let tries = CONNECT_TRIES; ; tries -= 1) {
    const client = new MilvusClient({ address, maxRetries: 0, channelOptions: OWN_CONNECTIONS });
    try {
      await client.connectPromise;
      return client;
    } catch (error) {
      await client.closeConnection().catch(() => {});
      if (tries <= 1) throw error;
      await sleep(CONNECT_PAUSE_MS);
    }
  }
}

function keySource(): () => bigint {
  let next = 1n;
  return () => next++;
}
