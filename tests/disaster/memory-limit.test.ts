import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';

const ROWS = 500;
const DIMENSIONS = 64;

test('a load beyond elanus.memoryLimit is answered as Milvus does, and fits once it is mapped', async () => {
  await using server = await ElanusProcess.start({ ELANUS_MEMORYLIMIT: '100000' });
  const client = new MilvusClient({ address: server.address, maxRetries: 0 });
  await client.connectPromise;
  try {
    const collection_name = 'large';
    await client.createCollection({
      collection_name,
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIMENSIONS },
      ],
    });
    await client.createIndex({
      collection_name,
      field_name: 'vector',
      index_type: 'FLAT',
      metric_type: 'L2',
    });
    const data = Array.from({ length: ROWS }, (_, id) => ({ id, vector: Array(DIMENSIONS).fill(id) }));
    await client.insert({ collection_name, data });
    await client.flushSync({ collection_names: [collection_name] });

    const refused = await client.loadCollectionAsync({ collection_name });
    assert.equal(refused.code, 3);
    assert.equal(refused.error_code, 'InsufficientMemoryToLoad');
    assert.match(refused.reason, /memory limit exceeded\[predict\(MB\)=0\.\d\d]\[limit\(MB\)=0\.10]$/);

    await client.alterCollectionProperties({ collection_name, properties: { 'mmap.enabled': true } });
    await client.loadCollectionSync({ collection_name });
    assert.equal(Number((await client.count({ collection_name })).data), ROWS);
  } finally {
    await client.closeConnection();
  }
});
