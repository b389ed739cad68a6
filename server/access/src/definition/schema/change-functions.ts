import { askedTokenizersOfField } from '@elanus/functions';
import {
  type CollectionSchema,
  functionOfOutput,
  invalidParameter,
  type SchemaFunction,
} from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';
import { readFunctions } from './read-functions.ts';

const TEXT_EMBEDDING = 2;
/** What comes with its collection, by its number on the wire. */
const NAMES: ReadonlyMap<number, SchemaFunction['type']> = new Map([
  [1, 'BM25'],
  [4, 'MinHash'],
]);

/** The function called `name`. @throws MilvusError 1100 */
export function requiredFunction({ functions }: CollectionSchema, name: string): SchemaFunction {
  const found = functions.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw invalidParameter(`Function ${name} not exists`);
}

/**
 * The schema with one more function over fields that are there: rows that are written from now on get its vectors, those
 * written before keep what they were given. @throws MilvusError 1100 for one that can't be added
 */
export function withFunction(
  schema: CollectionSchema,
  given: schema_FunctionSchema | undefined,
): CollectionSchema {
  if (given === undefined) throw invalidParameter('function schema is not set');
  const name = NAMES.get(given.type);
  if (name !== undefined) throw invalidParameter(`Currently does not support adding ${name} function`);
  return changed(schema, [...schema.functions, newFunction(schema, given)]);
}

/**
 * A function that makes a field which is added along with it, of the rows that there are as well. `schema` has the field.
 * @throws MilvusError 1100 for one that asks a model, or makes another field
 */
export function newFunctionOfField(
  schema: CollectionSchema,
  field: string,
  given: schema_FunctionSchema,
): SchemaFunction {
  const type = NAMES.get(given.type);
  if (type === undefined)
    throw invalidParameter(
      'For now, only BM25 and MinHash functions are supported in add_function_field interface',
    );
  if (given.inputFieldNames.length !== 1 || given.outputFieldNames.length !== 1)
    throw invalidParameter(
      `${type} function should have exactly one input field and exactly one output field`,
    );
  const [output] = given.outputFieldNames;
  if (output !== field)
    throw invalidParameter(`function output field "${output}" must be the newly-added field "${field}"`);
  const input = schema.fields.find(({ name }) => name === given.inputFieldNames[0]);
  if (input !== undefined && functionOfOutput(schema, input.id) !== undefined)
    throw invalidParameter(
      `function ${given.name} input field ${input.name} is the output of another function; function cascade is not supported`,
    );
  const made = newFunction(schema, given);
  if (input !== undefined && askedTokenizersOfField(input).length > 0)
    throw invalidParameter(
      `function ${given.name}: earlier rows of field ${input.name} are not counted, its tokenizer is a service`,
    );
  return { ...made, fillsEarlierRows: true };
}

const FIRST_ID = 100;

function newFunction(schema: CollectionSchema, given: schema_FunctionSchema): SchemaFunction {
  const id = Math.max(...schema.functions.map((each) => each.id), FIRST_ID - 1) + 1;
  return { ...readOne(given, schema, schema.functions), id };
}

/** The schema with another definition of a function that asks a model. @throws MilvusError 1100 */
export function withAlteredFunction(
  schema: CollectionSchema,
  name: string,
  given: schema_FunctionSchema | undefined,
): CollectionSchema {
  const before = requiredFunction(schema, name);
  if (before.type !== 'TextEmbedding')
    throw invalidParameter(`Currently does not support alter ${before.type} function`);
  if (given === undefined) throw invalidParameter('function schema is not set');
  if (given.name !== name)
    throw invalidParameter(`invalid function config, name not match: ${name} and ${given.name}`);
  if (given.type !== TEXT_EMBEDDING)
    throw invalidParameter(`the type of function ${name} can not be changed`);
  const others = schema.functions.filter((each) => each !== before);
  const after = { ...readOne(given, schema, others), id: before.id };
  return changed(
    schema,
    schema.functions.map((each) => (each === before ? after : each)),
  );
}

/**
 * The schema without a function that asks a model: its vectors are an ordinary field from now on.
 * @throws MilvusError 1100
 */
export function withoutFunction(schema: CollectionSchema, name: string): CollectionSchema {
  const dropped = requiredFunction(schema, name);
  if (dropped.type !== 'TextEmbedding')
    throw invalidParameter(`Currently does not support droping ${dropped.type} function`);
  return changed(
    schema,
    schema.functions.filter((each) => each !== dropped),
  );
}

/** The function, which must not share a name or an output with others. */
function readOne(
  given: schema_FunctionSchema,
  schema: CollectionSchema,
  others: readonly SchemaFunction[],
): SchemaFunction {
  const [read] = readFunctions([given], schema.fields);
  if (others.some(({ name }) => name === given.name))
    throw invalidParameter(`duplicate function name: ${given.name}`);
  const [outputName] = given.outputFieldNames;
  if (others.some(({ output }) => output === read!.output))
    throw invalidParameter(`duplicate function output field: function ${given.name}, field ${outputName}`);
  return read!;
}

function changed(schema: CollectionSchema, functions: readonly SchemaFunction[]): CollectionSchema {
  return { ...schema, functions, version: schema.version + 1 };
}
