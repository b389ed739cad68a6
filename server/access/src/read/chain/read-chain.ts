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
import { type ChainStep, type FunctionChain, KEY_COLUMN, SCORE_COLUMN } from './function-chain.ts';
import { readExpression } from './read-expression.ts';

/** `FunctionChainStage` on the wire. */
const STAGES = ['Unspecified', 'Ingestion', 'PreProcess', 'L0Rerank', 'L1Rerank', 'L2Rerank', 'PostProcess'];
const L2_RERANK = 5;
const STEPS_MAX = 64;

/**
 * The chain that ranks the hits of a search again: of the stage L2, which is where all hits are together.
 * @throws MilvusError 1100 for what is wrong with it, 10 for expressions that are not served
 */
export function readFunctionChain(
  dependencies: Pick<AccessDependencies, 'models'>,
  target: ReadTarget,
  chains: readonly schema_FunctionChain[],
  queryCount: number,
): FunctionChain | null {
  const stages = new Set<number>();
  for (const [at, { stage }] of chains.entries()) {
    const name = `FunctionChainStage${STAGES[stage] ?? stage}`;
    if (stages.has(stage)) throw invalidParameter(`function chain stage ${name} appears more than once`);
    stages.add(stage);
    if (stage !== L2_RERANK)
      throw invalidParameter(`function chain[${at}] stage ${name} is not supported yet`);
  }
  const [chain] = chains;
  if (chain === undefined) return null;
  if (chain.ops.length === 0) throw invalidParameter('function chain[0] must contain at least one op');
  if (chain.ops.length > STEPS_MAX)
    throw invalidParameter(`function chain[0] has ${chain.ops.length} ops, at most ${STEPS_MAX} are run`);
  const columns = new ChainColumns(target);
  const steps = chain.ops.map((op, at) => {
    try {
      return readStep(dependencies, op, columns, queryCount);
    } catch (error) {
      throw error instanceof MilvusError ? error.within(`op[${at}]`) : error;
    }
  });
  return { steps, fields: columns.fields };
}

/** The columns that a step may read, and what is in them. */
export class ChainColumns {
  readonly #target: ReadTarget;
  readonly #made = new Map<string, 'number' | 'text'>();
  readonly #fields = new Map<string, FieldSchema>();

  constructor(target: ReadTarget) {
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
      throw invalidParameter(`output ${name} is a system column that can't be written`);
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
  switch (op.trim()) {
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
