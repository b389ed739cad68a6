import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { ServedCollection } from '../served-collection.ts';
import { collectionFixture } from '../testing/collection-fixture.ts';
import { indexFixture } from '../testing/index-fixture.ts';
import { OpenIndex } from './open-index.ts';

const field = fieldFixture(101, 'vector', DataType.FloatVector, { dim: 8 });
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), field]);

describe('an open index', () => {
  it('knows for how long no write has come', () => {
    const info = collectionFixture({ schema, shards: 1, partitions: 1 });
    const collection = { info, shards: [], appliedTimestamp: 1n as Timestamp };
    const index = new OpenIndex(indexFixture(info), {
      field,
      spec: { type: 'HNSW', m: 16, efConstruction: 200, layout: 'compact' },
      collection: collection as unknown as ServedCollection,
      limits: {},
    });
    const rests = [
      { nowMs: 5_000, written: 1n, restMs: 0 },
      { nowMs: 10_000, written: 1n, restMs: 5_000 },
      { nowMs: 60_000, written: 1n, restMs: 55_000 },
      { nowMs: 65_000, written: 2n, restMs: 0 },
      { nowMs: 66_000, written: 2n, restMs: 1_000 },
    ];
    for (const { nowMs, written, restMs } of rests) {
      collection.appliedTimestamp = written as Timestamp;
      assert.equal(index.restMs(nowMs), restMs, `at ${nowMs} ms`);
    }
  });
});
