import { type Predicate, planningFilter } from '@elanus/expr';
import type { CollectionSchema } from '@elanus/model';
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
  const planning = planningFilter(text, schema, templateValues(templates), { timeZone });
  const first = planning.next();
  return first.done ? first.value : await runInSlices(planning, share);
}
