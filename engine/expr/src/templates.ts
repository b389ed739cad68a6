import { FilterError } from './filter-error.ts';
import type { ListValue } from './plan.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

/** What a `{name}` of a filter stands for; in lists as deep as the client sent them. Bytes are a packed `MemberSet`. */
export type TemplateValue = ListValue | Uint8Array;

/** `expr_template_values` of a request, by name. Values that no `{name}` asks for are ignored. */
export type TemplateValues = ReadonlyMap<string, TemplateValue>;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Bytes of a packed set that take as long as a value of a list. */
const BYTES_PER_ITEM = 8;

/** Values in all lists together; sets count as what they take to read. */
export function countTemplateItems(templates: TemplateValues): number {
  let count = 0;
  for (const value of templates.values())
    if (value instanceof Uint8Array) count += value.length / BYTES_PER_ITEM;
    else if (typeof value === 'object') count += value.length;
  return count;
}

/** As `requireReadable` of every value, in slices. */
export function* checkingTemplates(templates: TemplateValues): Work<void> {
  for (const [name, value] of templates) {
    if (typeof value !== 'object' || value instanceof Uint8Array) requireReadable(name, value);
    else
      for (let at = 0; at < value.length; at++) {
        if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
        requireReadable(name, value[at]!);
      }
  }
}

/** @throws FilterError for what no literal could say either */
export function requireReadable(name: string, value: TemplateValue): void {
  if (value instanceof Uint8Array) return;
  if (typeof value === 'object') for (const item of value) requireReadable(name, item);
  else if (typeof value === 'number' && !Number.isFinite(value))
    throw new FilterError(
      `the value of expression template variable {${name}} is not a finite number`,
      'fill',
    );
  else if (typeof value === 'bigint' && (value > INT64_MAX || value < INT64_MIN))
    throw new FilterError(`the value of expression template variable {${name}} is out of range`, 'fill');
}
