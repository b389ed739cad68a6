import type { Constant, ListValue, TemplateValue, TemplateValues } from '@elanus/expr';
import { invalidParameter } from '@elanus/model';
import type { schema_TemplateArrayValue, schema_TemplateValue } from '@elanus/proto';

/** Values nest as deep as the clients' own types let them; deeper ones are an attack. */
const DEPTH_MAX = 8;

/** `expr_template_values` of a request. @throws MilvusError 1100 for a value of no type or of a type not served */
export function templateValues(values: ReadonlyMap<string, schema_TemplateValue>): TemplateValues {
  return new Map([...values].map(([name, value]) => [name, templateValue(name, value)]));
}

function templateValue(name: string, value: schema_TemplateValue): TemplateValue {
  const single = value.boolVal ?? value.int64Val ?? value.floatVal ?? value.stringVal ?? value.bytesVal;
  if (single !== undefined) return single;
  if (value.arrayVal !== undefined) return templateArray(name, value.arrayVal, 1);
  throw invalidParameter(`the value of expression template variable {${name}} has no type`);
}

function templateArray(name: string, array: schema_TemplateArrayValue, depth: number): readonly ListValue[] {
  if (depth > DEPTH_MAX)
    throw invalidParameter(`the value of expression template variable {${name}} nests too deep`);
  const single = array.boolData ?? array.longData ?? array.doubleData ?? array.stringData;
  if (single !== undefined) return single.data;
  if (array.arrayData !== undefined) {
    return array.arrayData.data.map((element) => templateArray(name, element, depth + 1));
  }
  if (array.jsonData !== undefined) return array.jsonData.data.map((element) => jsonValue(name, element));
  return [];
}

/** Lists of mixed types travel as JSON, one text an element; integers stay exact. */
function jsonValue(name: string, bytes: Uint8Array): Constant {
  const text = new TextDecoder().decode(bytes).trim();
  if (/^-?\d{1,20}$/.test(text)) return BigInt(text);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value;
  } catch {
    // Refused below.
  }
  throw invalidParameter(`the value of expression template variable {${name}} holds ${text.slice(0, 50)}`);
}
