import assert from 'node:assert/strict';
import { type Condition, compileCondition, compilePredicate, planFilter } from '@elanus/expr';
import {
  columnsOf,
  type Draw,
  drawFrom,
  KEYS,
  naiveFilter,
  type RandomFilter,
  type Row,
  randomFilter,
  randomRow,
  randomSchema,
} from '@elanus/expr/testing';
import {
  type ChannelName,
  type CollectionId,
  type CollectionSchema,
  DataType,
  type FieldSchema,
  type IndexId,
  type KeyColumn,
  type PartitionId,
  type RowBatch,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fileOf, LABEL, share } from '../files/segment-file-fixture.ts';
import { FilterCache } from '../filter/filter-cache.ts';
import type { FilterTools } from '../filter/filter-views.ts';
import { countShards, queryShards } from '../query-shards.ts';
import { buildScalarIndex } from '../scalar-index/build-scalar-index.ts';
import { blocksOf } from '../scalar-index/index-pieces.ts';
import { scalarIndexSpec } from '../scalar-index/plan-index.ts';
import { planCondition } from '../scalar-index/plan-rows.ts';
import type { ScalarIndexData } from '../scalar-index/scalar-index.ts';
import { ScalarIndexes } from '../scalar-index/scalar-indexes.ts';
import { RestoredDeletions } from '../sealed/restored-deletions.ts';
import { SealedFile } from '../sealed/sealed-file.ts';
import { segmentContent } from '../sealed/shard-cut.ts';
import { Shard } from '../shard.ts';
import { storedFields } from '../stored-fields.ts';
import { keysOf, type TestKey } from './random-rows.ts';

/** What was compared. */
export interface Comparisons {
  schemas: number;
  filters: number;
  /** Answers of the naive interpreter, each about one row and one filter. */
  evaluations: number;
  /** Filters that indexes had an answer to. */
  byIndex: number;
}

const FILTERS_PER_SCHEMA = 25;
const BATCHES = 3;
/** One schema in so many has rows enough that the planner prefers indexes; few filters are asked of it. */
const LARGE_EVERY = 12;
const LARGE_ROWS_MIN = 1_000;
const FILTERS_OF_LARGE = 6;

/**
 * Random filters over random rows of random schemas: what growing and sealed segments find, with constants in the text, beside
 * it and worked out, and what indexes name, beside what a naive interpreter says of each row.
 * @throws AssertionError that names the seed and the filter
 */
export async function compareFilters(
  seed: number,
  evaluations: number,
  report: (done: Comparisons) => void = () => {},
): Promise<Comparisons> {
  const done: Comparisons = { schemas: 0, filters: 0, evaluations: 0, byIndex: 0 };
  while (done.evaluations < evaluations) {
    const schemaSeed = seed + done.schemas;
    const subject = await Subject.from(drawFrom(schemaSeed));
    const isLarge = subject.rows.length >= LARGE_ROWS_MIN;
    for (let i = 0; i < (isLarge ? FILTERS_OF_LARGE : FILTERS_PER_SCHEMA); i++) {
      const filter = randomFilter(subject.draw, subject.schema);
      try {
        if (await subject.compare(filter)) done.byIndex += 1;
      } catch (error) {
        throw new assert.AssertionError({
          message: `seed ${schemaSeed}, filter ${i}: ${filter.text}\n${(error as Error).message}`,
        });
      }
      done.filters += 1;
      done.evaluations += subject.rows.length;
    }
    done.schemas += 1;
    report(done);
  }
  return done;
}

/** The same rows in growing and in sealed segments, and indexes over them. */
class Subject {
  readonly draw: Draw;
  readonly schema: CollectionSchema;
  readonly rows: readonly Row[];
  readonly #source: ReturnType<typeof columnsOf>;
  readonly #growing: Shard;
  readonly #sealed: Shard;
  readonly #tools: FilterTools;
  readonly #indexes: readonly ScalarIndexData[];

  private constructor(
    draw: Draw,
    schema: CollectionSchema,
    rows: readonly Row[],
    shards: { readonly growing: Shard; readonly sealed: Shard },
  ) {
    this.draw = draw;
    this.schema = schema;
    this.rows = rows;
    this.#source = columnsOf(schema, rows);
    this.#growing = shards.growing;
    this.#sealed = shards.sealed;
    const specs = storedFields(schema).flatMap((field) => specsOf(draw, field));
    this.#tools = {
      cache: new FilterCache(2 ** 20),
      indexes: indexesOver(this.#sealed, specs),
      threads: null,
    };
    this.#indexes = specs.map((spec) => {
      const column = this.#source.column(spec.place.fieldId);
      return buildScalarIndex(spec, [{ column, rows: rows.length, firstRow: 0 }], 1);
    });
  }

  static async from(draw: Draw): Promise<Subject> {
    const schema = randomSchema(draw);
    const length = draw(LARGE_EVERY) === 0 ? LARGE_ROWS_MIN + draw(700) : 20 + draw(60);
    const rows = Array.from({ length }, (_, number) => randomRow(draw, schema, number));
    const batches = batchesOf(schema, rows);
    const growing = await shardOf(schema, batches);
    const sealed = await sealedCopy(schema, await shardOf(schema, batches));
    await sealed.openFiles({ partitionIds: null, at: TIMESTAMP_MAX });
    return new Subject(draw, schema, rows, { growing, sealed });
  }

  /** Whether indexes had a say. */
  async compare(filter: RandomFilter): Promise<boolean> {
    const { schema, rows } = this;
    const isKept = naiveFilter(filter.text, schema);
    const wanted = rows.map(isKept);
    const { templated, folded } = filter;
    const predicate = planFilter(filter.text, schema)!;
    for (const [how, other] of [
      ['as written', predicate],
      ['with templates', planFilter(templated.text, schema, templated.values)!],
      [`folded: ${folded}`, planFilter(folded, schema)!],
    ] as const)
      assert.deepEqual(this.#scan(other.condition), wanted, how);
    const keys = this.#keysOf(wanted);
    const selection = { keys: null, matches: compilePredicate(predicate), predicate };
    for (const [how, shard, tools] of [
      ['growing', this.#growing, undefined],
      ['sealed', this.#sealed, undefined],
      // Twice, so that the second one is remembered from.
      ['sealed, with all tools', this.#sealed, this.#tools],
      ['sealed, remembered', this.#sealed, this.#tools],
    ] as const) {
      const scope = { partitionIds: null, at: TIMESTAMP_MAX };
      const read = {
        shards: [shard],
        scope,
        selection,
        share,
        ...(tools === undefined ? {} : { filters: tools }),
      };
      const keyType = schema.primaryKey.dataType as KeyColumn['dataType'];
      const found = await queryShards(read, { limit: null, offset: 0 }, keyType);
      assert.deepEqual(new Set(keysOf(found.keys)), keys, how);
      assert.equal(await countShards(read), keys.size, `${how}, counted`);
    }
    return this.#compareIndexes(predicate.condition, wanted);
  }

  #scan(condition: Condition): boolean[] {
    const matches = new Uint8Array(this.rows.length);
    compileCondition(condition)(this.#source, 0, matches.length, matches);
    return Array.from(matches, (match) => match === 1);
  }

  #keysOf(kept: readonly boolean[]): ReadonlySet<TestKey> {
    const { name } = this.schema.primaryKey;
    return new Set(this.rows.filter((_, row) => kept[row]).map((row) => row[name] as TestKey));
  }

  /** With some of the indexes, whatever a scan would cost. */
  #compareIndexes(condition: Condition, wanted: readonly boolean[]): boolean {
    const indexes = this.#indexes.filter(() => this.draw(3) > 0);
    const probe = indexes.length === 0 ? null : planCondition(condition, indexes);
    if (probe === null) return false;
    const bits = new Uint8Array(4 * Math.ceil(wanted.length / 32));
    const marking = probe.marking(bits);
    while (!marking.next().done);
    const named = wanted.map((_, row) => ((bits[row >> 3]! >> (row & 7)) & 1) === 1);
    if (probe.isExact) assert.deepEqual(named, wanted, 'by indexes');
    else
      assert.ok(
        wanted.every((isKept, row) => !isKept || named[row]),
        'indexes miss rows',
      );
    return true;
  }
}

type FieldIndexSpec = NonNullable<ReturnType<typeof scalarIndexSpec>>;

/** What is to be built over a field. */
function specsOf(draw: Draw, field: FieldSchema): readonly FieldIndexSpec[] {
  return definitionsOf(draw, field).flatMap(([indexType, steps, castType]) => {
    const gramMin = indexType === 'NGRAM' ? 1 + draw(3) : null;
    const spec = scalarIndexSpec({ indexType, field, steps, castType, gramMin });
    return spec === null ? [] : [spec];
  });
}

/** Indexes as the server has them: in pieces over the shard's chunks. */
function indexesOver(shard: Shard, specs: readonly FieldIndexSpec[]): ScalarIndexes {
  const indexes = new ScalarIndexes();
  const views = shard.view({ partitionIds: null, at: TIMESTAMP_MAX });
  for (const [at, spec] of specs.entries()) {
    const pieces = indexes.open(BigInt(at) as IndexId, spec, { rowsMin: 1 });
    for (;;) {
      const planned = pieces.nextPiece(views, 'at-rest');
      if (planned === null) break;
      pieces.adopt(planned, buildScalarIndex(spec, blocksOf(planned, spec.place), 1));
    }
  }
  return indexes;
}

type Definition = readonly [indexType: string, steps: readonly string[] | null, castType: string | null];

const CASTS = ['BOOL', 'DOUBLE', 'VARCHAR', 'ARRAY_BOOL', 'ARRAY_DOUBLE', 'ARRAY_VARCHAR', 'JSON'];

function definitionsOf(draw: Draw, { dataType }: FieldSchema): readonly Definition[] {
  switch (dataType) {
    case DataType.JSON:
      return Array.from({ length: 3 }, () => {
        const steps = Array.from({ length: 1 + draw(2) }, () => KEYS[draw(KEYS.length)]!);
        return draw(4) === 0 ? ['NGRAM', steps, 'VARCHAR'] : ['INVERTED', steps, CASTS[draw(CASTS.length)]!];
      });
    case DataType.Geometry:
      return [['RTREE', null, null]];
    case DataType.VarChar:
      return [
        ['TRIE', null, null],
        ['NGRAM', null, null],
      ];
    default:
      return [['INVERTED', null, null]];
  }
}

/** The rows in several writes. */
function batchesOf(schema: CollectionSchema, rows: readonly Row[]): readonly RowBatch[] {
  const size = Math.ceil(rows.length / BATCHES);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => {
    const part = rows.slice(i * size, (i + 1) * size);
    const source = columnsOf(schema, part);
    const columns = new Map(storedFields(schema).map(({ id }) => [id, source.column(id)]));
    return { length: part.length, columns };
  });
}

async function shardOf(schema: CollectionSchema, batches: readonly RowBatch[]): Promise<Shard> {
  const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
  for (const [i, batch] of batches.entries()) {
    const parts = [{ partitionId: BigInt(1 + (i % 2)) as PartitionId, batch }];
    const timestamp = BigInt(10 * (i + 1)) as Timestamp;
    (await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, timestamp))!.publish();
  }
  return shard;
}

/** A shard that has the rows of `shard` in files. */
async function sealedCopy(schema: CollectionSchema, shard: Shard): Promise<Shard> {
  let ids = 100n;
  const cut = shard.cut(() => ids++ as SegmentId);
  const place = { collectionId: 9n as CollectionId, channel: 'c' as ChannelName };
  const segments = await Promise.all(
    cut.segments.map(async (sealed) => {
      const bytes = await fileOf(
        segmentContent(cut, sealed, { ...LABEL, collectionId: 9n, segmentId: sealed.id }),
      );
      const { id, partitionId, rows, firstTimestamp, lastTimestamp } = sealed;
      const file = { key: `${id}.arrow`, bytes: bytes.length, crc32: 0 };
      const info = { id, partitionId, rows, firstTimestamp, lastTimestamp, file, ...place };
      return new SealedFile(info, { map: () => Promise.resolve(bytes) });
    }),
  );
  const copy = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
  const deletions = await RestoredDeletions.read([], share);
  await copy.restore({
    segments,
    deletions,
    checkpoint: shard.appliedTimestamp,
    historyStart: 0n as Timestamp,
  });
  return copy;
}
