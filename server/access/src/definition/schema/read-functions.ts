import { analyzerNeeded, type FieldAnalysis, readFieldAnalysis, readMinHashOptions } from '@elanus/functions';
import {
  DataType,
  dataTypeName,
  type FieldSchema,
  invalidParameter,
  type SchemaFunction,
} from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';

const FIRST_FUNCTION_ID = 100;
const TYPES: ReadonlyMap<number, SchemaFunction['type']> = new Map([
  [1, 'BM25'],
  [2, 'TextEmbedding'],
  [4, 'MinHash'],
]);
const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'Unknown',
  3: 'Rerank',
  5: 'MolFingerprint',
};

/**
 * Checks what fields say of their analyzers, which inputs of functions must have.
 * @throws MilvusError 1100 for parameters that no analyzer has, or that do not go together
 */
export function checkAnalyzers(
  fields: readonly FieldSchema[],
  functions: readonly SchemaFunction[] = [],
): void {
  for (const field of fields) {
    if (!isText(field)) continue;
    const analysis = readFieldAnalysis(field);
    if (analysis?.kind === 'several') checkByField(field, analysis, fields);
    if (analysis === null && functions.some(({ input, type }) => type === 'BM25' && input === field.id))
      throw analyzerNeeded(field.name);
  }
}

function checkByField(
  field: FieldSchema,
  { byField }: FieldAnalysis & { kind: 'several' },
  fields: readonly FieldSchema[],
): void {
  const by = fields.find(({ name }) => name === byField);
  if (by === undefined)
    throw invalidParameter(`multi analyzer dependent field ${byField} of field ${field.name} does not exist`);
  if (by.dataType !== DataType.VarChar)
    throw invalidParameter(`multi analyzer now only support varchar by_field, but field ${byField} is not`);
}

/**
 * The functions that a client asks for, with ids from 100.
 * @throws MilvusError 1100 for the first rule that is broken
 */
export function readFunctions(
  given: readonly schema_FunctionSchema[],
  fields: readonly FieldSchema[],
): readonly SchemaFunction[] {
  const names = new Set<string>();
  const outputs = new Set<string>();
  return given.map((message, at) => {
    const { name } = message;
    const type = checkedType(message);
    if (names.has(name)) throw invalidParameter(`duplicate function name: ${name}`);
    names.add(name);
    const input = inputOf(message, type, fields);
    const output = outputOf(message, type, fields);
    if (outputs.has(output.name))
      throw invalidParameter(`duplicate function output field: function ${name}, field ${output.name}`);
    outputs.add(output.name);
    const params = message.params.map(({ key, value }) => ({ key, value }));
    if (type === 'MinHash') readMinHashOptions(params, output);
    return {
      id: FIRST_FUNCTION_ID + at,
      name,
      description: message.description,
      type,
      input: input.id,
      output: output.id,
      params,
    };
  });
}

function checkedType({
  name,
  type: number,
  inputFieldNames,
  outputFieldNames,
  params,
}: schema_FunctionSchema): SchemaFunction['type'] {
  if (name === '') throw invalidParameter('function name cannot be empty');
  const type = TYPES.get(number);
  if (type === undefined)
    throw invalidParameter(
      `function ${name}: functions of type ${TYPE_NAMES[number] ?? number} are not supported yet`,
    );
  if (inputFieldNames.length === 0)
    throw invalidParameter(`function input field names cannot be empty, function: ${name}`);
  if (outputFieldNames.length === 0)
    throw invalidParameter(`function output field names cannot be empty, function: ${name}`);
  const both = inputFieldNames.find((field) => outputFieldNames.includes(field));
  if (both !== undefined)
    throw invalidParameter(
      `function input field cannot be both input and output in the same function, function: ${name}, field: ${both}`,
    );
  if (type === 'BM25' && params.length > 0) throw invalidParameter('BM25 function accepts no params');
  return type;
}

function inputOf(
  { name, inputFieldNames }: schema_FunctionSchema,
  type: SchemaFunction['type'],
  fields: readonly FieldSchema[],
): FieldSchema {
  const input = named(inputFieldNames, fields, 'input');
  if (type === 'MinHash') return requireMinHashInput(input, inputFieldNames.length);
  if (type === 'TextEmbedding') {
    if (inputFieldNames.length > 1 || !isText(input))
      throw invalidParameter('TextEmbedding function input field must be a VARCHAR/TEXT field');
    if (input.nullable)
      throw invalidParameter(
        `function input field cannot be nullable: function ${name}, field ${input.name}`,
      );
    return input;
  }
  if (inputFieldNames.length > 1 || !isText(input))
    throw invalidParameter(
      `BM25 function input field must be a VARCHAR/TEXT field, got ${inputFieldNames.length} field with type ${dataTypeName(input.dataType)}, function: ${name}`,
    );
  if (readFieldAnalysis(input) === null) throw analyzerNeeded(input.name);
  return input;
}

function requireMinHashInput(input: FieldSchema, count: number): FieldSchema {
  if (count !== 1)
    throw invalidParameter(`minhash function should only have one input field, but now ${count}`);
  if (isText(input)) return input;
  throw invalidParameter(
    `minhash function input field '${input.name}' is not string type, is ${dataTypeName(input.dataType)}`,
  );
}

function outputOf(
  { name, outputFieldNames }: schema_FunctionSchema,
  type: SchemaFunction['type'],
  fields: readonly FieldSchema[],
): FieldSchema {
  const output = named(outputFieldNames, fields, 'output');
  const refuse = (rule: string) =>
    invalidParameter(`function output field cannot be ${rule}: function ${name}, field ${output.name}`);
  if (output.isPrimaryKey) throw refuse('primary key');
  if (output.isPartitionKey || output.isClusteringKey) throw refuse('partition key or clustering key');
  if (output.nullable) throw refuse('nullable');
  if (type === 'TextEmbedding') {
    if (outputFieldNames.length > 1)
      throw invalidParameter(
        `text function should only have one output field, but now is ${outputFieldNames.length}`,
      );
    if (output.dataType !== DataType.FloatVector && output.dataType !== DataType.Int8Vector)
      throw invalidParameter('TextEmbedding function output field must be a FloatVector or Int8Vector field');
    return output;
  }
  if (type === 'MinHash') {
    if (outputFieldNames.length > 1)
      throw invalidParameter(
        `minhash function should only have one output field, but now ${outputFieldNames.length}`,
      );
    if (output.dataType === DataType.BinaryVector) return output;
    throw invalidParameter(`minhash function output field '${output.name}' is not binary vector type`);
  }
  if (outputFieldNames.length > 1 || output.dataType !== DataType.SparseFloatVector)
    throw invalidParameter(
      `BM25 function output field must be a SparseFloatVector field, but got ${dataTypeName(output.dataType)}, function: ${name}`,
    );
  return output;
}

/** The first of the fields; all must exist. */
function named(
  names: readonly string[],
  fields: readonly FieldSchema[],
  role: 'input' | 'output',
): FieldSchema {
  const found = names.map((wanted) => {
    const field = fields.find(({ name }) => name === wanted);
    if (field === undefined) throw invalidParameter(`function ${role} field not found: ${wanted}`);
    return field;
  });
  return found[0]!;
}

function isText({ dataType }: FieldSchema): boolean {
  return dataType === DataType.VarChar || dataType === DataType.Text;
}
