import { type Predicate, planningFilter, type TemplateValue } from '@elanus/expr';
import type { CollectionSchema } from '@elanus/model';
import type { schema_TemplateValue } from '@elanus/proto';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { templateValues } from '../wire/template-values.ts';

/** A filter as a client has sent it. */
export interface SentFilter {
  /** Empty: no filter. */
  readonly text: string;
  readonly templates: ReadonlyMap<string, schema_TemplateValue>;
  /** Of instants that are written without an offset. */
  readonly timeZone: string;
}

/** A condition that the server itself adds: its text, and what the `{names}` in it stand for. */
export interface OwnCondition {
  readonly text: string;
  readonly values: ReadonlyMap<string, TemplateValue>;
}

/** Begins the names of our own values, so that they are nobody else's. */
export const OWN_VALUE = 'elanus_';

/** Rows that both `condition` and the client's filter take. REQUIRES: the client's filter was planned before. */
export async function planOwnFilter(
  { share }: Pick<AccessDependencies, 'share'>,
  schema: CollectionSchema,
  condition: OwnCondition,
  sent: SentFilter = { text: '', templates: new Map(), timeZone: 'UTC' },
): Promise<Predicate | null> {
  const isAlone = sent.text.trim() === '';
  // What a client writes may have to stand last (element_filter).
  const text = isAlone ? condition.text : `(${condition.text}) and (${sent.text})`;
  const values = new Map([...templateValues(sent.templates), ...condition.values]);
  return await runInSlices(planningFilter(text, schema, values, { timeZone: sent.timeZone }), share);
}
