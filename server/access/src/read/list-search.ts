import type { Predicate } from '@elanus/expr';
import {
  type CollectionSchema,
  DataType,
  dataTypeName,
  type FieldSchema,
  invalidParameter,
  type MetricType,
  metricOfVectors,
  structOf,
} from '@elanus/model';
import type { QueryVectors, SearchTask } from '@elanus/rpc';
import type { Grouping } from './group/read-grouping.ts';
import type { IteratorPage } from './search-range.ts';

const OF_LISTS = 'is not supported for vector array (embedding list) fields';
const OF_ELEMENTS = 'is not supported in a search for elements of';

/** What a search in lists of vectors is asked for besides. */
interface ListSearchWishes {
  readonly leg: Pick<SearchTask, 'field' | 'radius' | 'queries'> & {
    readonly collection: { readonly schema: Pick<CollectionSchema, 'primaryKey'> };
  };
  readonly grouping: Grouping | null;
  readonly iterator: IteratorPage | null;
  /** Whether functions or a chain of them rank the hits. */
  readonly isRanked: boolean;
  readonly kind: 'search' | 'hybrid search';
}

/** Lets searches in fields of vectors pass. @throws MilvusError 1100 for what nobody does with lists, or with elements of them */
export function checkListSearch(wishes: ListSearchWishes): void {
  const { field, queries } = wishes.leg;
  if (field.dataType !== DataType.ArrayOfVector) return;
  if (queries.lists === undefined) checkElementSearch(wishes);
  else checkWholeLists(wishes);
}

function checkWholeLists({ leg: { field, radius }, grouping, iterator, kind }: ListSearchWishes): void {
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

/** A row is several hits: whoever takes hits for rows would mix them up. */
function checkElementSearch({ leg, grouping, isRanked, kind }: ListSearchWishes): void {
  const key = leg.collection.schema.primaryKey.id;
  const isByKey = grouping === null || grouping.keys.every(({ field }) => field.id === key);
  const wish =
    kind === 'hybrid search'
      ? kind
      : isRanked
        ? 'rerank'
        : !isByKey
          ? 'group by another field than the primary key'
          : grouping !== null && grouping.size > 1
            ? 'group_size above 1'
            : null;
  if (wish !== null) throw invalidParameter(`${wish} ${OF_ELEMENTS} ${leg.field.name}`);
}

/** @throws MilvusError 1100 when vectors are to be compared as lists, or lists as vectors */
export function checkCompared(
  { lists, dataType }: QueryVectors,
  field: FieldSchema,
  metric: MetricType,
): void {
  if (field.dataType !== DataType.ArrayOfVector) return;
  const comparesLists = metricOfVectors(metric) !== metric;
  if (comparesLists && lists === undefined)
    throw invalidParameter(
      `vector type must be the same, field ${field.name} - type ${dataTypeName(field.dataType)}, search info type ${dataTypeName(dataType)}`,
    );
  if (!comparesLists && lists !== undefined)
    throw invalidParameter(
      `metric type ${metric} of field ${field.name} does not compare embedding lists, only those that begin with MAX_SIM do`,
    );
}

/**
 * Lets filters without an `element_filter` pass.
 * @throws MilvusError 1100 when a search finds whole rows, or elements of other structs than the filter names
 */
export function checkElementFilter(
  filter: Predicate | null,
  schema: CollectionSchema,
  { field, metric }: { readonly field: FieldSchema; readonly metric: MetricType },
): void {
  const elementFilter = filter?.elementFilter ?? null;
  if (elementFilter === null) return;
  const isOfElements = field.dataType === DataType.ArrayOfVector && metricOfVectors(metric) === metric;
  if (isOfElements && structOf(schema, elementFilter.array) === structOf(schema, field)) return;
  throw invalidParameter(
    'element_filter is only supported for element-level search on vector sub-fields of the same struct array;' +
      ' use MATCH_ANY/MATCH_* for row-level vector search',
  );
}
