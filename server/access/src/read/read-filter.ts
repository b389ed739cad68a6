import { MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { ReadTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { type ReadTarget, requireLoaded } from './read-target.ts';
import { planServedFilter } from './served-filter.ts';

/** The filter of a search or a query, bound to the schema; `null` for none. Instants without an offset are wall time of `timeZone`. @throws MilvusError 1100 */
export async function planReadFilter(
  dependencies: Pick<AccessDependencies, 'share'>,
  target: ReadTarget,
  text: string,
  templates: Methods['Search']['request']['exprTemplateValues'],
  timeZone: string,
): Promise<ReadTask['filter']> {
  try {
    const { schema } = target.collection;
    const filter = await planServedFilter(dependencies, schema, text, templates, timeZone);
    if (filter) requireLoaded(target, filter.fieldIds);
    return filter;
  } catch (error) {
    throw error instanceof MilvusError ? error.within('failed to create query plan') : error;
  }
}
