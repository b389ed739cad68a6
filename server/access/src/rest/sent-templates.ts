import type { Draft, schema_TemplateArrayValue, schema_TemplateValue } from '@elanus/proto';
import { isObject } from './body.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { incorrectJson } from './rest-errors.ts';

/** `exprParams`: what `{name}` in a filter stands for. */
export function sentTemplates(params: JsonObject): Map<string, Draft<schema_TemplateValue>> {
  return new Map(Object.entries(params).map(([name, value]) => [name, templateOf(name, value)]));
}

function templateOf(name: string, value: Json): Draft<schema_TemplateValue> {
  if (Array.isArray(value)) return { arrayVal: templateArray(name, value) };
  if (typeof value === 'boolean') return { boolVal: value };
  if (typeof value === 'bigint') return { int64Val: value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { int64Val: BigInt(value) } : { floatVal: value };
  if (typeof value === 'string') return { stringVal: value };
  throw incorrectJson(
    `the parameter ${name} of the filter cannot be ${value === null ? 'null' : 'an object'}`,
  );
}

function templateArray(name: string, values: readonly Json[]): Draft<schema_TemplateArrayValue> {
  const all = (test: (value: Json) => boolean) => values.every(test);
  const isInteger = (value: Json) => typeof value === 'bigint' || Number.isInteger(value);
  if (all((value) => typeof value === 'boolean')) return { boolData: { data: values as boolean[] } };
  if (all(isInteger)) return { longData: { data: values.map((value) => BigInt(value as number)) } };
  if (all((value) => typeof value === 'number' || typeof value === 'bigint'))
    return { doubleData: { data: values.map(Number) } };
  if (all((value) => typeof value === 'string')) return { stringData: { data: values as string[] } };
  if (all(Array.isArray))
    return { arrayData: { data: (values as Json[][]).map((inner) => templateArray(name, inner)) } };
  throw incorrectJson(
    `the parameter ${name} of the filter is an array of ${values.some(isObject) ? 'objects' : 'several types'}`,
  );
}
