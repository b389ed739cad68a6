import {
  DataType,
  dataTypeName,
  type FieldSchema,
  fieldByName,
  invalidParameter,
  MilvusError,
} from '@elanus/model';
import type { schema_FunctionChain, schema_FunctionChainOp } from '@elanus/proto';
import type { AccessDependencies } from '../../handler.ts';
import { isNumberType } from '../number-type.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';
import { ChainParams } from './chain-params.ts';
import {
  CHAIN_STAGES,
  type ChainStage,
  type ChainStep,
  type FunctionChain,
  KEY_COLUMN,
  SCORE_COLUMN,
} from './function-chain.ts';
import { readExpression } from './read-expression.ts';

/** `FunctionChainStage` on the wire. */
const STAGES = ['Unspecified', 'Ingestion', 'PreProcess', 'L0Rerank', 'L1Rerank', 'L2Rerank', 'PostProcess'];
const RERANK_STAGES: ReadonlyMap<number, ChainStage> = new Map([
  [3, 'L0'],
  [4, 'L1'],
  [5, 'L2'],
]);
const STEPS_OF_STAGE: Readonly<Record<ChainStage, readonly ChainStep['kind'][]>> = {
  L0: ['map'],
  L1: ['map', 'sort', 'limit'],
  L2: ['map', 'sort', 'limit'],
};
const STEP_KINDS: ReadonlySet<string> = new Set(Object.values(STEPS_OF_STAGE).flat());
const STEPS_MAX = 64;

/**
 * The chains that rank the hits of a search again, in the order of their stages.
 * @throws MilvusError 1100 for what is wrong with them
 */
export function readFunctionChains(
  dependencies: Pick<AccessDependencies, 'models'>,
  target: ReadTarget,
  sent: readonly schema_FunctionChain[],
  queryCount: number,
): readonly FunctionChain[] {
  const chains = new Map<ChainStage, FunctionChain>();
  for (const [at, { stage: number, ops }] of sent.entries()) {
    const name = `FunctionChainStage${STAGES[number] ?? number}`;
    const stage = RERANK_STAGES.get(number);
    if (stage === undefined)
      throw invalidParameter(`function chain[${at}] stage ${name} is not supported in search request`);
    if (chains.has(stage)) throw invalidParameter(`function chain stage ${name} appears more than once`);
    if (ops.length === 0) throw invalidParameter(`function chain[${at}] must contain at least one op`);
    if (ops.length > STEPS_MAX)
      throw invalidParameter(`function chain[${at}] has ${ops.length} ops, at most ${STEPS_MAX} are run`);
    const columns = new ChainColumns(target, stage);
    const steps = ops.map((op, step) => {
      try {
        return readStep(dependencies, op, columns, queryCount);
      } catch (error) {
        throw error instanceof MilvusError ? error.within(`op[${step}]`) : error;
      }
    });
    chains.set(stage, { stage, steps, fields: columns.fields });
  }
  return CHAIN_STAGES.flatMap((stage) => chains.get(stage) ?? []);
}

/** The columns that a step may read, and what is in them. */
export class ChainColumns {
  readonly stage: ChainStage;
  readonly #target: ReadTarget;
  readonly #made = new Map<string, 'number' | 'text'>();
  readonly #fields = new Map<string, FieldSchema>();

  constructor(target: ReadTarget, stage: ChainStage) {
    this.stage = stage;
    this.#target = target;
    const key = target.collection.schema.primaryKey.dataType;
    this.#made.set(KEY_COLUMN, key === DataType.VarChar ? 'text' : 'number').set(SCORE_COLUMN, 'number');
  }

  /** Those that come from the collection. */
  get fields(): readonly FieldSchema[] {
    return [...this.#fields.values()];
  }

  /** @throws MilvusError 1100 for a column that is not there, or holds something else */
  read(name: string, wanted: 'number' | 'text' | 'either'): void {
    const kind = this.#made.get(name) ?? this.#kindOfField(name);
    if (wanted === 'either' || kind === wanted) return;
    throw invalidParameter(`column ${name} is no ${wanted}`);
  }

  /** @throws MilvusError 1100 for a name that is the collection's or the server's */
  make(name: string): void {
    if (name.startsWith('$') && name !== SCORE_COLUMN)
      throw invalidParameter(
        `system output "${name}" is not writable by ${this.stage} rerank function chain`,
      );
    if (fieldByName(this.#target.collection.schema, name) !== undefined)
      throw invalidParameter(`output ${name} is a field of the collection, which can't be written`);
    this.#made.set(name, 'number');
  }

  #kindOfField(name: string): 'number' | 'text' {
    const field = fieldByName(this.#target.collection.schema, name);
    if (field === undefined || field.isDynamic) throw invalidParameter(`column ${name} not found`);
    const isText = field.dataType === DataType.VarChar;
    if (!isText && !isNumberType(field.dataType))
      throw invalidParameter(`column ${name} has unsupported type ${dataTypeName(field.dataType)}`);
    requireLoaded(this.#target, [field.id]);
    this.#fields.set(name, field);
    return isText ? 'text' : 'number';
  }
}

function readStep(
  dependencies: Pick<AccessDependencies, 'models'>,
  { op, expr, inputs, outputs, params }: schema_FunctionChainOp,
  columns: ChainColumns,
  queryCount: number,
): ChainStep {
  const kind = op.trim();
  if (STEP_KINDS.has(kind) && !STEPS_OF_STAGE[columns.stage].includes(kind as ChainStep['kind']))
    throw invalidParameter(`type "${kind}" is not supported by ${columns.stage} rerank function chain`);
  switch (kind) {
    case '':
      throw invalidParameter('op name is empty');
    case 'map': {
      if (expr === undefined) throw invalidParameter('map_op: function is required');
      const [output, ...others] = outputs.map((name) => name.trim());
      if (output === undefined || output === '' || others.length > 0)
        throw invalidParameter('map_op: exactly one output is required');
      const expression = readExpression(dependencies, expr, columns, queryCount);
      columns.make(output);
      return { kind: 'map', expression, output };
    }
    case 'sort': {
      const read = new ChainParams('sort_op', params);
      const column = read.text('column') ?? inputs[0]?.trim() ?? '';
      if (column === '') throw invalidParameter('sort_op: column is required');
      const tieBreak = read.text('tie_break_col') || null;
      columns.read(column, 'either');
      if (tieBreak !== null) columns.read(tieBreak, 'either');
      return { kind: 'sort', column, descending: read.flag('desc') ?? false, tieBreak };
    }
    case 'limit': {
      const read = new ChainParams('limit_op', params);
      const limit = read.integer('limit') ?? 0;
      const offset = read.integer('offset') ?? 0;
      if (limit <= 0) throw invalidParameter(`limit_op: limit must be positive, got ${limit}`);
      if (offset < 0) throw invalidParameter(`limit_op: offset must be non-negative, got ${offset}`);
      return { kind: 'limit', limit, offset };
    }
    default:
      throw invalidParameter(`unknown operator type: ${op}`);
  }
}
