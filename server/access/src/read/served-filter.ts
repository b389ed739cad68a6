import { type PlanOptions, type Predicate, planningFilter } from '@elanus/expr';
import { type Analyzer, isMatchEnabled, openFieldAnalyzer, readFieldAnalysis } from '@elanus/functions';
import type { CollectionSchema, FieldId } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { templateValues } from '../wire/template-values.ts';

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
