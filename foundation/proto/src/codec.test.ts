import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { DecodeError, decode, encode } from './codec.ts';
import { methods } from './methods.ts';

const require = createRequire(import.meta.url);
const { default: descriptors } = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js');
const root = protobuf.Root.fromJSON(descriptors);

/** An independent codec of the same descriptors. */
function other(name: string): protobuf.Type {
  return root.lookupType(`milvus.proto.${name}`);
}

test('keeps int64 exact in both directions', () => {
  for (const identifier of [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const bytes = encode('milvus.ConnectResponse', { identifier });
    assert.equal(decode('milvus.ConnectResponse', bytes).identifier, identifier);
  }
});

test('writes what another codec reads', () => {
  const bytes = encode('milvus.DescribeCollectionResponse', {
    status: { code: 100, reason: 'no', extraInfo: new Map([['is_input_error', 'true']]) },
    schema: {
      name: 'c',
      fields: [{ name: 'id', fieldID: 100n, dataType: 5, defaultValue: { longData: 0n } }],
    },
    virtualChannelNames: ['a', 'b'],
    collectionID: 451n,
    shardsNum: 2,
  });
  const read = other('milvus.DescribeCollectionResponse').toObject(
    other('milvus.DescribeCollectionResponse').decode(bytes),
    { longs: String },
  );
  assert.deepEqual(read, {
    status: { code: 100, reason: 'no', extraInfo: { is_input_error: 'true' } },
    schema: {
      name: 'c',
      fields: [{ name: 'id', fieldID: '100', dataType: 5, defaultValue: { longData: '0' } }],
    },
    virtualChannelNames: ['a', 'b'],
    collectionID: '451',
    shardsNum: 2,
  });
});

test('reads what another codec writes, packed or not, and skips what it does not know', () => {
  const request = { segmentIDs: [1, 2, 300], flushTs: 7, collectionName: 'c' };
  const packed = other('milvus.GetFlushStateRequest').encode(request).finish();
  const unpacked = Buffer.from('080108020' + '8ac02', 'hex');
  const unknown = Buffer.from('fa3e03616263f03f05', 'hex');
  assert.deepEqual(decode('milvus.GetFlushStateRequest', packed).segmentIDs, [1n, 2n, 300n]);
  assert.deepEqual(decode('milvus.GetFlushStateRequest', unpacked).segmentIDs, [1n, 2n, 300n]);
  assert.equal(decode('milvus.GetFlushStateRequest', Buffer.concat([unknown, packed])).collectionName, 'c');
});

test('the last member of a oneof wins', () => {
  const both = Buffer.concat([
    encode('schema.FieldSchema', { defaultValue: { longData: 5n } }),
    encode('schema.FieldSchema', { defaultValue: { stringData: 'x' } }),
  ]);
  const { defaultValue } = decode('schema.FieldSchema', both);
  assert.equal(defaultValue?.stringData, 'x');
});

test('leaves the columns of an insert as bytes', () => {
  const column = { type: 5, fieldName: 'id', scalars: { longData: { data: [1, 2] } } };
  const bytes = other('milvus.InsertRequest')
    .encode({ collectionName: 'c', fieldsData: [column, column] })
    .finish();
  const { fieldsData } = decode('milvus.InsertRequest', bytes);
  assert.deepEqual(
    fieldsData.map((field) => Buffer.from(field)),
    [column, column].map((field) => Buffer.from(other('schema.FieldData').encode(field).finish())),
  );
});

test('answers damaged bytes with a message or a DecodeError, for every request', () => {
  const requests = [...new Set(methods.map((method) => method.request))];
  fc.assert(
    fc.property(fc.constantFrom(...requests), fc.uint8Array({ maxLength: 200 }), (name, bytes) => {
      try {
        decode(name, bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('refuses an element that ends beyond its list, or an entry beyond its map', () => {
  // Member 1 of GetFlushStateRequest: one packed byte, whose number goes on in the next member.
  assert.throws(() => decode('milvus.GetFlushStateRequest', Buffer.from('0a01801001', 'hex')), DecodeError);
  const status = encode('common.Status', { extraInfo: new Map([['a', 'b']]) });
  status[1]! -= 1;
  assert.throws(() => decode('common.Status', status), DecodeError);
});

test('refuses text that is not UTF-8, in members, lists and maps', () => {
  const status = encode('common.Status', { reason: 'one', extraInfo: new Map([['two', 'six']]) });
  const names = encode('milvus.FlushRequest', { collectionNames: ['one'] });
  for (const [name, bytes] of [
    ['common.Status', status],
    ['milvus.FlushRequest', names],
  ] as const) {
    for (const text of ['one', 'two', 'six']) {
      const damaged = Buffer.from(bytes);
      const at = damaged.indexOf(text);
      if (at < 0) continue;
      decode(name, damaged);
      damaged[at + 1] = 0xff;
      assert.throws(() => decode(name, damaged), DecodeError, text);
    }
  }
});

test('refuses a list of more elements than memory should hold', () => {
  const emptyColumns = Buffer.alloc(2 * 2_000_001, Buffer.from('2a00', 'hex'));
  assert.throws(() => decode('milvus.InsertRequest', emptyColumns), /more than 2000000 list elements/);
});

test('refuses a field numbered 0 and more fields than it takes time for', () => {
  assert.throws(() => decode('milvus.QueryRequest', new Uint8Array(3)), /a field has the number 0/);
  const unknown = Buffer.alloc(3 * 4_000_001, Buffer.from('f80700', 'hex'));
  assert.throws(() => decode('milvus.QueryRequest', unknown), /more than 4000000 fields/);
});

test('says of every method where its answer carries the status', () => {
  const without = methods.filter((method) => method.status === null).map((method) => method.name);
  assert.deepEqual(without, ['Dummy', 'GetReplicateInfo', 'CreateReplicateStream']);
  assert.equal(methods.find((method) => method.name === 'Insert')?.status, 'status');
  assert.equal(methods.find((method) => method.name === 'DropCollection')?.status, 'self');
  assert.equal(methods.find((method) => method.name === 'AlterCollectionSchema')?.status, 'alterStatus');
});
