import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  ConsistencyLevel,
  type DatabaseId,
  DataType,
  type DuplicateKeyPolicy,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { CollectionModel, type Observation } from './collection-model.ts';
import { type Change, Operation } from './operation.ts';

const NORTH = 1n as PartitionId;
const SOUTH = 2n as PartitionId;

function openModel(duplicateKey: DuplicateKeyPolicy = 'replace'): CollectionModel {
  return new CollectionModel(collection(duplicateKey, [NORTH, SOUTH]));
}

function collection(duplicateKey: DuplicateKeyPolicy, partitionIds: readonly PartitionId[]): CollectionInfo {
  const createdTimestamp = 1n as Timestamp;
  return {
    id: 7n as CollectionId,
    databaseId: 1n as DatabaseId,
    databaseName: 'default',
    name: 'birds',
    schema: schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true })]),
    channels: ['one' as ChannelName],
    partitions: partitionIds.map((id) => ({ id, name: String(id), createdTimestamp })),
    consistencyLevel: ConsistencyLevel.Strong,
    properties: [],
    duplicateKey,
    createdTimestamp,
    updatedTimestamp: createdTimestamp,
  };
}

/** An insert of `[key, version]` pairs. */
function insert(rows: readonly (readonly [bigint, bigint])[], partitionId = NORTH): Change {
  return { kind: 'insert', rows: rows.map(([key, version]) => ({ key, version, partitionId })) };
}

function send(
  model: CollectionModel,
  timestamp: bigint,
  change: Change,
  outcome: Operation['outcome'] = 'present',
): Operation {
  const operation = new Operation(change);
  operation.timestamp = timestamp as Timestamp;
  operation.outcome = outcome;
  model.send(operation);
  return operation;
}

/** A read that found `[key, version]` pairs. */
function found(at: bigint, rows: readonly (readonly [bigint, bigint])[]): Observation {
  return {
    at: at as Timestamp,
    partitionIds: null,
    rows: rows.map(([key, version]) => ({ key, version })),
    gone: new Set(),
    occasion: 'a read',
  };
}

function settle(model: CollectionModel, observation: Observation): void {
  model.settle(new Map([[observation.at, observation]]));
}

describe('a check complains', () => {
  const cases: readonly [string, readonly (readonly [bigint, bigint])[], RegExp][] = [
    ['of a lost row', [[1n, 11n]], /lack \[2=12\]/],
    [
      'of an old value',
      [
        [1n, 10n],
        [2n, 12n],
      ],
      /lack \[1=11\], there are in excess \[1=10\]/,
    ],
    [
      'of a row that is there twice',
      [
        [1n, 11n],
        [1n, 11n],
        [2n, 12n],
      ],
      /1 are there twice/,
    ],
    [
      'of a row that was refused',
      [
        [1n, 11n],
        [2n, 12n],
        [3n, 13n],
      ],
      /in excess \[3=13\]/,
    ],
    [
      'of a value under another key',
      [
        [1n, 12n],
        [2n, 11n],
      ],
      /lack \[1=11,2=12\]/,
    ],
    [
      'of keys out of order',
      [
        [2n, 12n],
        [1n, 11n],
      ],
      /keys in order/,
    ],
  ];
  for (const [name, rows, message] of cases) {
    it(name, () => {
      const model = openModel();
      send(model, 5n, insert([[1n, 10n]]));
      send(
        model,
        6n,
        insert([
          [1n, 11n],
          [2n, 12n],
        ]),
      );
      send(model, 7n, insert([[3n, 13n]]), 'absent');
      model.observe(found(8n, rows));
      assert.throws(() => model.check(), message);
    });
  }

  it('of an insert that should have been refused', () => {
    const model = openModel('reject');
    send(model, 5n, insert([[1n, 10n]]));
    send(model, 6n, insert([[1n, 11n]]));
    assert.throws(() => model.check(), /the insert of 1 at 6 was not refused, but key 1 existed/);
  });

  it('of a wrong number of replaced rows', () => {
    const model = openModel();
    send(model, 5n, insert([[1n, 10n]]));
    send(model, 6n, insert([[1n, 11n]])).replacedRows = 0;
    assert.throws(() => model.check(), /said it replaced/);
  });
});

describe('an unanswered write', () => {
  it('may be there whole, or not at all, and then stays so', () => {
    for (const rows of [
      [],
      [
        [1n, 10n],
        [2n, 11n],
      ],
    ] as const) {
      const model = openModel();
      send(
        model,
        5n,
        insert([
          [1n, 10n],
          [2n, 11n],
        ]),
        'open',
      );
      settle(model, found(5n, rows));
      model.observe(found(9n, rows));
      model.check();
      model.observe(
        found(
          9n,
          rows.length === 0
            ? [
                [1n, 10n],
                [2n, 11n],
              ]
            : [],
        ),
      );
      assert.throws(() => model.check(), /lack|in excess/);
    }
  });

  it('may not be there in part', () => {
    const model = openModel();
    send(
      model,
      5n,
      insert([
        [1n, 10n],
        [2n, 11n],
      ]),
      'open',
    );
    assert.throws(() => settle(model, found(5n, [[1n, 10n]])), /neither whole nor not at all/);
  });

  it('that was seen before the crash is there after it', () => {
    const model = openModel();
    send(model, 5n, insert([[1n, 10n]]), 'open');
    model.observe(found(5n, [[1n, 10n]]));
    settle(model, found(5n, []));
    assert.throws(() => model.check(), /in excess \[1=10\]/);
  });
});

it('rows of a dropped partition are gone at every time, and what they replaced does not come back', () => {
  const model = openModel();
  send(
    model,
    5n,
    insert([
      [1n, 10n],
      [2n, 11n],
    ]),
  );
  send(model, 6n, insert([[1n, 12n]], SOUTH));
  model.doubt(SOUTH);
  for (const rows of [
    [
      [1n, 12n],
      [2n, 11n],
    ],
    [[2n, 11n]],
  ] as const)
    model.observe(found(6n, rows));
  model.adopt(collection('replace', [NORTH]));
  model.observe(found(6n, [[2n, 11n]]));
  model.check();
  const late = { ...found(6n, [[1n, 12n]]), gone: new Set([SOUTH]) };
  assert.throws(() => model.observe(late), /in a partition that was dropped before/);
});
