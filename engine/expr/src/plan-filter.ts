import type { CollectionSchema } from '@elanus/model';
import { bind, binding } from './bind.ts';
import { BindContext, type PlanOptions } from './bound.ts';
import { compiling } from './compile.ts';
import { describeFilterError, FilterError } from './filter-error.ts';
import { preparingKeys, primaryKeysOf } from './keys.ts';
import { preparingLookUps } from './look-ups.ts';
import { readingMemberSet } from './member-set.ts';
import { parse, parsing } from './parser.ts';
import type { Condition } from './plan.ts';
import type { Predicate } from './predicate.ts';
import { checkingTemplates, countTemplateItems, type TemplateValues } from './templates.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

const NO_TEMPLATES: TemplateValues = new Map();
const NO_OPTIONS: PlanOptions = {};
/** Characters of a filter that is planned well within a millisecond. */
const SHORT_TEXT = 16_384;
/** The same of one with patterns or shapes, each of which takes as long to read as a hundred numbers. */
const SHORT_COSTLY_TEXT = 512;
const COSTLY = /=~|!~|\bst_/i;

/**
 * Reads a filter and binds it to `schema`. `null` for blank text, which matches every row.
 * @throws MilvusError 1100 in Milvus' words; the caller puts `failed to create query plan: ` in front
 */
export function planFilter(
  text: string,
  schema: CollectionSchema,
  templates: TemplateValues = NO_TEMPLATES,
  options: PlanOptions = NO_OPTIONS,
): Predicate | null {
  if (isBlank(text)) return null;
  try {
    const context = new BindContext(text, schema, templates, options);
    return predicateOf(context, bind(context, parse(text)));
  } catch (error) {
    throw describe(text, error);
  }
}

/**
 * As `planFilter`, in slices for filters that are long. Afterwards `compilePredicate`, `primaryKeysOf` and
 * `requiredValues` of a key have no long work left.
 */
export function* planningFilter(
  text: string,
  schema: CollectionSchema,
  templates: TemplateValues = NO_TEMPLATES,
  options: PlanOptions = NO_OPTIONS,
): Work<Predicate | null> {
  const lengthMax = COSTLY.test(text) ? SHORT_COSTLY_TEXT : SHORT_TEXT;
  const isShort = text.length <= lengthMax && countTemplateItems(templates) <= SLICE_ITEMS;
  if (isShort) return planFilter(text, schema, templates, options);
  if (isBlank(text)) return null;
  try {
    const context = new BindContext(text, schema, templates, options);
    yield* checkingTemplates(templates);
    context.areTemplatesChecked = true;
    yield* readingSets(context);
    const predicate = predicateOf(context, yield* binding(context, yield* parsing(text)));
    yield* preparing(predicate, schema);
    return predicate;
  } catch (error) {
    throw describe(text, error);
  }
}

function* preparing(predicate: Predicate, { primaryKey, partitionKey }: CollectionSchema): Work<void> {
  yield* preparingKeys(predicate, partitionKey === null ? [primaryKey] : [primaryKey, partitionKey]);
  if (primaryKeysOf(predicate) !== null) return;
  yield* preparingLookUps(predicate.condition);
  yield* compiling(predicate);
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

function predicateOf(
  { text, schema, fieldIds, elementFilter, isExact }: BindContext,
  condition: Condition,
): Predicate {
  return { text, fieldIds, primaryKey: schema.primaryKey, elementFilter, isExact, condition };
}

/** Reads the packed sets among the templates. What is wrong with one only matters to whoever asks for it. */
function* readingSets({ templates, memberSets }: BindContext): Work<void> {
  for (const [name, value] of templates) {
    if (!(value instanceof Uint8Array)) continue;
    try {
      memberSets.set(name, yield* readingMemberSet(value));
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      memberSets.set(name, error);
    }
  }
}

function describe(text: string, error: unknown): unknown {
  return error instanceof FilterError ? describeFilterError(text, error) : error;
}
