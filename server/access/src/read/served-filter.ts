import { type PlanOptions, type Predicate, planningFilter } from '@elanus/expr';
import { type Analyzer, isMatchEnabled, openFieldAnalyzer, readFieldAnalysis } from '@elanus/functions';
import type { CollectionSchema, FieldId } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { templateValues } from '../wire/template-values.ts';

/** Filters of one schema that are remembered, and the characters of each. */
const PLANS_MAX = 64;
const PLAN_LENGTH_MAX = 512;
/** Depends on more than the schema: words on files of others, samples on chance. */
const IS_NEW_EACH_TIME = /_match|random_sample/i;

interface Plan {
  readonly timeZone: string;
  readonly predicate: Predicate;
}

/** The filters that were asked for last, by text, the latest at the end. */
const plans = new WeakMap<CollectionSchema, Map<string, Plan>>();

/**
 * A request's filter, bound to `schema`; `null` for none. A short one is planned at once, a long one in slices.
 * Instants without an offset are wall time of `timeZone`.
 * @throws MilvusError 1100 for what is no filter
 */
export async function planServedFilter(
  { share }: Pick<AccessDependencies, 'share'>,
  schema: CollectionSchema,
  text: string,
  templates: Methods['Search']['request']['exprTemplateValues'],
  timeZone: string,
): Promise<Predicate | null> {
  const isKept = templates.size === 0 && text.length <= PLAN_LENGTH_MAX && !IS_NEW_EACH_TIME.test(text);
  if (!isKept) return await planNow({ share }, schema, text, templates, timeZone);
  if (text === '') return null;
  const ofSchema = plansOf(schema);
  const known = ofSchema.get(text);
  const predicate =
    known?.timeZone === timeZone
      ? known.predicate
      : await planNow({ share }, schema, text, templates, timeZone);
  if (predicate !== null) keepLast(ofSchema, text, { timeZone, predicate });
  return predicate;
}

function plansOf(schema: CollectionSchema): Map<string, Plan> {
  let ofSchema = plans.get(schema);
  if (ofSchema === undefined) {
    ofSchema = new Map();
    plans.set(schema, ofSchema);
  }
  return ofSchema;
}

/** The same predicate for the same text: what is compiled of it, and the rows that it selects, are remembered with it. */
function keepLast(ofSchema: Map<string, Plan>, text: string, plan: Plan): void {
  ofSchema.delete(text);
  ofSchema.set(text, plan);
  if (ofSchema.size > PLANS_MAX) ofSchema.delete(ofSchema.keys().next().value!);
}

async function planNow(
  { share }: Pick<AccessDependencies, 'share'>,
  schema: CollectionSchema,
  text: string,
  templates: Methods['Search']['request']['exprTemplateValues'],
  timeZone: string,
): Promise<Predicate | null> {
  const wordsOf = /_match/i.test(text) ? await wordsOfMatchedFields(schema) : undefined;
  const options = { timeZone, ...(wordsOf === undefined ? {} : { wordsOf }) };
  const planning = planningFilter(text, schema, templateValues(templates), options);
  const first = planning.next();
  return first.done ? first.value : await runInSlices(planning, share);
}

/** Opens the analyzers of all fields that `text_match` may ask about. */
async function wordsOfMatchedFields(schema: CollectionSchema): Promise<PlanOptions['wordsOf']> {
  const analyzers = new Map<FieldId, Analyzer>();
  for (const field of schema.fields) {
    const analysis = isMatchEnabled(field) ? readFieldAnalysis(field) : null;
    if (analysis !== null) analyzers.set(field.id, await openFieldAnalyzer(analysis));
  }
  return ({ id }, text) => analyzers.get(id)?.analyze(text) ?? [];
}
