import { DYNAMIC_FIELD_NAME, type FieldSchema, invalidParameter, type JsonColumn } from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';

/** Milvus' limit of one value, bytes. */
const VALUE_BYTES_MAX = 65_536;
/** Bytes that are parsed in well under a millisecond. */
const SLICE_BYTES = 64 * 1024;
/** What a row costs besides its bytes. */
const ROW_BYTES = 64;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Every value is JSON of at most 64 KiB; those of `$meta` are objects whose keys are no field's name.
 * @throws MilvusError 1100 that names the field and the row
 */
export function* checkJsonValues(
  { length, offsets, bytes, validity }: JsonColumn,
  field: FieldSchema,
  fieldNames: ReadonlySet<string>,
): Work<void> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let spent = 0;
  for (let row = 0; row < length; row++) {
    const [begin, end] = [offsets[row]!, offsets[row + 1]!];
    if (validity?.[row] === 0) continue;
    spent += ROW_BYTES;
    if (!isEmptyObject(source, begin, end)) {
      checkLength(end - begin, field, row);
      const value = parseValue(source.toString('utf8', begin, end), field, row);
      if (field.isDynamic) checkDynamicValue(value, fieldNames, row);
      spent += end - begin;
    }
    if (spent > SLICE_BYTES) {
      spent = 0;
      yield;
    }
  }
}

/** What clients send for a row without undeclared keys. */
function isEmptyObject(source: Buffer, begin: number, end: number): boolean {
  return end - begin === 2 && source[begin] === OPEN_BRACE && source[begin + 1] === CLOSE_BRACE;
}

function checkLength(length: number, field: FieldSchema, row: number): void {
  if (length <= VALUE_BYTES_MAX) return;
  throw invalidParameter(
    `length of json field ${field.name} exceeds max length, row number: ${row}, length: ${length}, max length: ${VALUE_BYTES_MAX}`,
  );
}

function parseValue(text: string, field: FieldSchema, row: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidParameter(`field ${field.name} is not valid JSON, row number: ${row}, error: ${reason}`);
  }
}

function checkDynamicValue(value: unknown, fieldNames: ReadonlySet<string>, row: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidParameter(`dynamic field ${DYNAMIC_FIELD_NAME} is not a JSON object, row number: ${row}`);
  }
  for (const key of Object.keys(value)) {
    if (key === DYNAMIC_FIELD_NAME) throw invalidParameter(`cannot set json key to: ${DYNAMIC_FIELD_NAME}`);
    if (fieldNames.has(key)) {
      throw invalidParameter(`dynamic field name cannot include the static field name: ${key}`);
    }
  }
}
