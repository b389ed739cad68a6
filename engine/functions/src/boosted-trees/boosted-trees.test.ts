import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAtOnce } from '../work.ts';
import { BoostedTrees, type TreeOutput } from './boosted-trees.ts';
import { readUbjson } from './read-ubjson.ts';

/** Values as a UBJSON of the plainest kind; typed arrays are arrays of one type. */
type Value =
  | null
  | boolean
  | number
  | string
  | readonly Value[]
  | Float32Array
  | { readonly [name: string]: Value };

function big(bytes: number, write: (view: DataView) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(new DataView(buffer.buffer, buffer.byteOffset, bytes));
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([
    Buffer.from('L'),
    big(8, (view) => view.setBigInt64(0, BigInt(bytes.length))),
    bytes,
  ]);
}

function ubj(value: Value): Buffer {
  if (value === null) return Buffer.from('Z');
  if (typeof value === 'boolean') return Buffer.from(value ? 'T' : 'F');
  if (typeof value === 'string') return Buffer.concat([Buffer.from('S'), text(value)]);
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? Buffer.concat([Buffer.from('l'), big(4, (view) => view.setInt32(0, value))])
      : Buffer.concat([Buffer.from('d'), big(4, (view) => view.setFloat32(0, value))]);
  if (value instanceof Float32Array) {
    const head = Buffer.concat([
      Buffer.from('[$d#L'),
      big(8, (view) => view.setBigInt64(0, BigInt(value.length))),
    ]);
    const numbers = Array.from(value, (number) => big(4, (view) => view.setFloat32(0, number)));
    return Buffer.concat([head, ...numbers]);
  }
  if (Array.isArray(value))
    return Buffer.concat([Buffer.from('['), ...(value as readonly Value[]).map(ubj), Buffer.from(']')]);
  const members = Object.entries(value).flatMap(([name, member]) => [text(name), ubj(member)]);
  return Buffer.concat([Buffer.from('{'), ...members, Buffer.from('}')]);
}

/** One split: below 2.5, and nulls, to the left. */
const SMALL = {
  tree_param: { num_nodes: '3', size_leaf_vector: '0' },
  left_children: [1, -1, -1],
  right_children: [2, -1, -1],
  split_indices: [0, 0, 0],
  split_conditions: Float32Array.of(2.5, -1, 4),
  default_left: [1, 0, 0],
  split_type: [0, 0, 0],
  categories: [],
};
/** By the second feature, then by the first; nulls to the right. */
const DEEP = {
  left_children: [1, 3, -1, -1, -1],
  right_children: [2, 4, -1, -1, -1],
  split_indices: [1, 0, 0, 0, 0],
  split_conditions: Float32Array.of(0, 1, 8, 16, 32),
  default_left: [false, false, false, false, false],
};

interface Options {
  readonly objective?: string;
  readonly base?: string;
  readonly booster?: string;
  readonly classes?: string;
  readonly trees?: readonly Value[];
  readonly parallel?: string;
}

function modelOf({
  objective = 'reg:squarederror',
  base = '0.5',
  booster = 'gbtree',
  ...rest
}: Options): Buffer {
  const { classes = '0', trees = [SMALL, DEEP], parallel = '1' } = rest;
  return ubj({
    version: [3, 0, 0],
    learner: {
      learner_model_param: { num_feature: '2', num_class: classes, base_score: base },
      objective: { name: objective },
      gradient_booster: {
        name: booster,
        model: { gbtree_model_param: { num_parallel_tree: parallel }, trees },
      },
    },
  });
}

const open = (bytes: Buffer) => runAtOnce(BoostedTrees.of(runAtOnce(readUbjson(bytes))));

function predicted(model: BoostedTrees, rows: readonly (readonly [number, number])[], output: TreeOutput) {
  const columns = [0, 1].map((feature) => Float32Array.from(rows, (row) => row[feature]!));
  return Array.from(runAtOnce(model.predict(columns, rows.length, output)));
}

const ROWS = [
  [2, 1],
  [3, 1],
  [0.5, -1],
  [1, -1],
  [Number.NaN, Number.NaN],
  [2.5, Number.NaN],
] as const;
const SUMS = [0.5 - 1 + 8, 0.5 + 4 + 8, 0.5 - 1 + 16, 0.5 - 1 + 32, 0.5 - 1 + 8, 0.5 + 4 + 8];

describe('a model of boosted trees', () => {
  it('adds up the leaves that a row comes to, missing values where the tree sends them', () => {
    const model = open(modelOf({}));
    assert.equal(model.features, 2);
    for (const output of ['raw', 'default'] as const) assert.deepEqual(predicted(model, ROWS, output), SUMS);
    assert.deepEqual(predicted(model, [], 'raw'), []);
  });

  it('answers a probability where its objective is one, unless its sum is asked for', () => {
    const model = open(modelOf({ objective: 'binary:logistic', base: '[2.5E-1]', trees: [SMALL] }));
    const margin = Math.fround(Math.log(1 / 3));
    const sums = [Math.fround(margin - 1), Math.fround(margin + 4)];
    assert.deepEqual(predicted(model, ROWS.slice(0, 2), 'raw'), sums);
    const shares = sums.map((sum) => Math.fround(1 / (1 + Math.exp(-sum))));
    assert.deepEqual(predicted(model, ROWS.slice(0, 2), 'default'), shares);
  });

  const REFUSED: readonly (readonly [what: string, bytes: Buffer, reason: RegExp])[] = [
    ['nothing', Buffer.alloc(0), /failed to parse UBJ model: it ends too early/],
    ['half a model', modelOf({}).subarray(0, 200), /failed to parse UBJ model: it ends too early/],
    ['two models', Buffer.concat([modelOf({}), modelOf({})]), /there is more behind the last value/],
    ['a text', Buffer.from('model'), /there is no type "m"/],
    ['JSON', Buffer.from('{"learner": {}}'), /a length is no number/],
    ['no object', ubj(3), /missing object 'learner'/],
    ['no learner', ubj({ version: 3 }), /missing object 'learner'/],
    ['another objective', modelOf({ objective: 'rank:ndcg' }), /unsupported objective 'rank:ndcg'/],
    ['another booster', modelOf({ booster: 'dart' }), /unsupported booster 'dart'/],
    ['several classes', modelOf({ classes: '3' }), /multiclass/],
    ['forests', modelOf({ parallel: '4' }), /unsupported num_parallel_tree '4'/],
    ['a base that is no number', modelOf({ base: 'much' }), /invalid base_score 'much'/],
    [
      'a base that is no share',
      modelOf({ objective: 'binary:logistic', base: '2' }),
      /invalid binary logistic base_score '2'/,
    ],
    ['a tree without nodes', modelOf({ trees: [{ left_children: [] }] }), /tree has no nodes/],
    ['a tree that is a number', modelOf({ trees: [4] }), /tree entry must be object/],
    [
      'a node with one child',
      modelOf({ trees: [{ ...SMALL, right_children: [-1, -1, -1] }] }),
      /has only one child/,
    ],
    [
      'a child outside',
      modelOf({ trees: [{ ...SMALL, right_children: [3, -1, -1] }] }),
      /child is out of range/,
    ],
    [
      'a feature outside',
      modelOf({ trees: [{ ...SMALL, split_indices: [2, 0, 0] }] }),
      /split index 2 exceeds num_feature 2/,
    ],
    [
      'a column cut short',
      modelOf({ trees: [{ ...SMALL, default_left: [1] }] }),
      /'default_left' has 1 entries, expected 3/,
    ],
    ['categories', modelOf({ trees: [{ ...SMALL, split_type: [1, 0, 0] }] }), /categorical split/],
    [
      'a threshold without end',
      modelOf({ trees: [{ ...SMALL, split_conditions: Float32Array.of(Infinity, 1, 1) }] }),
      /invalid split_conditions/,
    ],
    [
      'many targets',
      modelOf({ trees: [{ ...SMALL, tree_param: { size_leaf_vector: '2' } }] }),
      /multi-target/,
    ],
  ];
  for (const [what, bytes, reason] of REFUSED)
    it(`is not made of ${what}`, () => assert.throws(() => open(bytes), { message: reason, code: 1100 }));

  it('whose nodes lead back to each other ends with an error, not never', () => {
    const model = open(
      modelOf({ trees: [{ ...SMALL, left_children: [0, -1, -1], right_children: [0, -1, -1] }] }),
    );
    assert.throws(() => predicted(model, ROWS, 'raw'), /exceeded node count/);
  });
});

describe('UBJSON', () => {
  const read = (bytes: Buffer) => runAtOnce(readUbjson(bytes));

  it('is read whatever way its arrays are written', () => {
    assert.deepEqual(read(Buffer.from('[$i#U\x03\x01\xff\x02', 'latin1')), Float64Array.of(1, -1, 2));
    assert.deepEqual(read(Buffer.from('[#U\x02TZ', 'latin1')), [true, null]);
    assert.deepEqual(read(Buffer.from('[NU\x07NC!N]', 'latin1')), [7, '!']);
    assert.deepEqual(read(Buffer.from('{#U\x01U\x01ai\x05', 'latin1')), new Map([['a', 5]]));
    assert.deepEqual(read(Buffer.from('{$i#U\x01U\x01ai', 'latin1')), new Map([['a', 105]]));
  });

  it('that promises more than there is, or is nested without end, is refused at once', () => {
    for (const wrong of [
      '[$D#l\x7f\xff\xff\xff',
      '[$T#l\x7f\xff\xff\xff',
      '[#l\x7f\xff\xff\xff',
      'Sl\x7f\xff\xff\xff',
      '[#i\xff',
    ])
      assert.throws(() => read(Buffer.from(wrong, 'latin1')), { code: 1100 });
    assert.throws(() => read(Buffer.from('['.repeat(100_000))), /nested more than 128 deep/);
  });

  it('of any bytes is a value or an error', () => {
    const model = modelOf({});
    for (let at = 0; at < model.length; at += 1) {
      const damaged = Buffer.from(model);
      damaged[at] = damaged[at]! ^ 0x21;
      try {
        const trees = open(damaged);
        predicted(trees, ROWS, 'default');
      } catch (error) {
        assert.equal((error as { code?: number }).code, 1100, `byte ${at}: ${error}`);
      }
    }
  });
});
