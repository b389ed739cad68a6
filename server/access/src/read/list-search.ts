import {
  DataType,
  type FieldSchema,
  invalidParameter,
  type MetricType,
  metricOfVectors,
} from '@elanus/model';
import type { SearchTask } from '@elanus/rpc';
import type { Grouping } from './group/read-grouping.ts';
import type { IteratorPage } from './search-range.ts';

const OF_LISTS = 'is not supported for vector array (embedding list) fields';

/** What a search by lists of vectors can't be asked for besides. */
interface ListSearchWishes {
  readonly leg: Pick<SearchTask, 'field' | 'radius'>;
  readonly grouping: Grouping | null;
  readonly iterator: IteratorPage | null;
  readonly kind: 'search' | 'hybrid search';
}

/** Lets searches for single vectors pass. @throws MilvusError 1100 for ranges, groups and iterators of lists of vectors */
export function checkListSearch({ leg, grouping, iterator, kind }: ListSearchWishes): void {
  const { field, radius } = leg;
  if (field.dataType !== DataType.ArrayOfVector) return;
  const wish =
    radius !== null
      ? 'range search'
      : grouping !== null
        ? 'group by search'
        : iterator !== null
          ? 'search iterator'
          : null;
  if (wish === null) return;
  const where = kind === 'search' ? `, fieldName:->${field.name}` : ' in hybrid search';
  throw invalidParameter(`${wish} ${OF_LISTS}${where}`);
}

/** @throws MilvusError 1100 when lists of vectors are to be compared by a metric of single vectors */
export function requireListMetric(field: FieldSchema, metric: MetricType): void {
  if (field.dataType !== DataType.ArrayOfVector || metricOfVectors(metric) !== metric) return;
  throw invalidParameter(
    `metric type ${metric} of field ${field.name} does not compare embedding lists, only those that begin with MAX_SIM do`,
  );
}
