import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConsistencyLevelEnum, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;
/** Which of the two collections a row says that it is of. */
type Side = 'blue' | 'green';

const SIDES: readonly Side[] = ['blue', 'green'];
const ALIAS = 'current';
const ROWS = 300;
const SWITCHES = 60;

await conformanceSuite('node', 'an alias that is switched under load', [], () => {
  let server: RunningServer;
  let grpc: MilvusClient;
  before(async () => {
    server = await serverUnderTest();
    grpc = new MilvusClient({ address: server.address });
    await grpc.connectPromise;
    for (const collectionName of SIDES) {
      await rest('collections/create', { collectionName, dimension: 2, metricType: 'L2' });
      const data = Array.from({ length: ROWS }, (_, id) => ({ id, vector: [id, 0], side: collectionName }));
      await rest('entities/insert', { collectionName, data });
    }
    await rest('aliases/create', { collectionName: 'blue', aliasName: ALIAS });
  });
  after(async () => {
    await grpc?.closeConnection();
    await server?.[Symbol.asyncDispose]();
  });

  async function rest(path: string, body: Json): Promise<unknown> {
    const url = `http://${server.address}/v2/vectordb/${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const { code, data, message } = (await answer.json()) as { code: number; data: unknown; message: string };
    assert.equal(code, 0, `${path}: ${message}`);
    return data;
  }

  const READS: Readonly<Record<string, () => Promise<readonly Side[]>>> = {
    'a query over REST': async () => {
      const request = { collectionName: ALIAS, filter: 'id >= 0', outputFields: ['side'], limit: 2 * ROWS };
      const rows = await rest('entities/query', { ...request, consistencyLevel: 'Strong' });
      return (rows as { side: Side }[]).map(({ side }) => side);
    },
    'a query over gRPC': async () => {
      const { data } = await grpc.query({
        collection_name: ALIAS,
        filter: 'id >= 0',
        output_fields: ['side'],
        limit: 2 * ROWS,
        consistency_level: ConsistencyLevelEnum.Strong,
      });
      return data.map(({ $meta }) => ($meta as { side: Side }).side);
    },
    'a search over REST': async () => {
      const request = { collectionName: ALIAS, data: [[1, 0]], limit: ROWS, outputFields: ['side'] };
      const rows = await rest('entities/search', { ...request, consistencyLevel: 'Strong' });
      return (rows as { side: Side }[]).map(({ side }) => side);
    },
  };
  const SWITCHING: readonly ((side: Side) => Promise<unknown>)[] = [
    (collectionName) => rest('aliases/alter', { collectionName, aliasName: ALIAS }),
    async (collection_name) => {
      const { code, reason } = await grpc.alterAlias({ collection_name, alias: ALIAS });
      assert.equal(code, 0, reason);
    },
  ];

  test('leads every read to one of two collections, and behind a switch to the new one', async () => {
    let isOver = false;
    const seen = new Set<string>();
    const readers = Object.entries(READS).map(async ([name, read]) => {
      while (!isOver) {
        const sides = await read();
        assert.deepEqual([sides.length, new Set(sides).size], [ROWS, 1], name);
        seen.add(`${name}: ${sides[0]}`);
      }
    });
    const switcher = async () => {
      try {
        for (let count = 1; count <= SWITCHES; count++) {
          const side = SIDES[count % 2]!;
          await SWITCHING[Math.floor(count / 2) % 2]!(side);
          for (const [name, read] of Object.entries(READS))
            assert.deepEqual(new Set(await read()), new Set([side]), `${name} behind switch ${count}`);
        }
      } finally {
        isOver = true;
      }
    };
    await Promise.all([...readers, switcher()]);
    assert.equal(seen.size, SIDES.length * Object.keys(READS).length, [...seen].join(', '));
  });
});
