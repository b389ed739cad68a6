import type { CollectionSchema } from '@elanus/model';
import { bind } from './bind.ts';
import { BindContext, type PlanOptions } from './bound.ts';
import { describeFilterError, FilterError } from './filter-error.ts';
import { parse } from './parser.ts';
import type { Predicate } from './predicate.ts';
import type { TemplateValues } from './templates.ts';

const NO_TEMPLATES: TemplateValues = new Map();

/**
 * Reads a filter and binds it to `schema`. `null` for blank text, which matches every row.
 * @throws MilvusError 1100 in Milvus' words; the caller puts `failed to create query plan: ` in front
 */
export function planFilter(
  text: string,
  schema: CollectionSchema,
  templates: TemplateValues = NO_TEMPLATES,
  options: PlanOptions = {},
): Predicate | null {
  if (/^[ \t\r\n]*$/.test(text)) return null;
  try {
    const context = new BindContext(text, schema, templates, options);
    const condition = bind(context, parse(text));
    const { fieldIds, isElementWise } = context;
    return { text, fieldIds, primaryKey: schema.primaryKey, isElementWise, condition };
  } catch (error) {
    if (error instanceof FilterError) throw describeFilterError(text, error);
    throw error;
  }
}
