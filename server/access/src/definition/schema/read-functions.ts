import { analyzerNeeded, type FieldAnalysis, readFieldAnalysis } from '@elanus/functions';
import {
  DataType,
  dataTypeName,
  type FieldSchema,
  invalidParameter,
  type SchemaFunction,
} from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';

const FIRST_FUNCTION_ID = 100;
const BM25 = 1;
const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'Unknown',
  2: 'TextEmbedding',
  3: 'Rerank',
  4: 'MinHash',
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
    if (analysis === null && functions.some(({ input }) => input === field.id))
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
    checkNames(message);
    const { name } = message;
    if (names.has(name)) throw invalidParameter(`duplicate function name: ${name}`);
    names.add(name);
    const input = inputOf(message, fields);
    const output = outputOf(message, fields);
    if (outputs.has(output.name))
      throw invalidParameter(`duplicate function output field: function ${name}, field ${output.name}`);
    outputs.add(output.name);
    return {
      id: FIRST_FUNCTION_ID + at,
      name,
      description: message.description,
      type: 'BM25',
      input: input.id,
      output: output.id,
      params: message.params.map(({ key, value }) => ({ key, value })),
    };
  });
}

function checkNames({ name, type, inputFieldNames, outputFieldNames, params }: schema_FunctionSchema): void {
  if (name === '') throw invalidParameter('function name cannot be empty');
  if (type !== BM25)
    throw invalidParameter(
      `function ${name}: functions of type ${TYPE_NAMES[type] ?? type} are not supported yet`,
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
  if (params.length > 0) throw invalidParameter('BM25 function accepts no params');
}

function inputOf(
  { name, inputFieldNames }: schema_FunctionSchema,
  fields: readonly FieldSchema[],
): FieldSchema {
  const input = named(inputFieldNames, fields, 'input');
  if (inputFieldNames.length > 1 || !isText(input))
    throw invalidParameter(
      `BM25 function input field must be a VARCHAR/TEXT field, got ${inputFieldNames.length} field with type ${dataTypeName(input.dataType)}, function: ${name}`,
    );
  if (readFieldAnalysis(input) === null) throw analyzerNeeded(input.name);
  return input;
}

function outputOf(
  { name, outputFieldNames }: schema_FunctionSchema,
  fields: readonly FieldSchema[],
): FieldSchema {
  const output = named(outputFieldNames, fields, 'output');
  const refuse = (rule: string) =>
    invalidParameter(`function output field cannot be ${rule}: function ${name}, field ${output.name}`);
  if (output.isPrimaryKey) throw refuse('primary key');
  if (output.isPartitionKey || output.isClusteringKey) throw refuse('partition key or clustering key');
  if (output.nullable) throw refuse('nullable');
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
