import { type Mistake, mistakesOf } from './mistake.ts';
import { params } from './request-drafts.ts';

const ending = ': invalid parameter';

const query = (outputFields: readonly string[], parameters: Readonly<Record<string, string>>) => ({
  collectionName: 'books',
  expr: 'id > 0',
  outputFields,
  queryParams: params(parameters),
});

const grouped = (outputFields: readonly string[], groupBy: string, more: Record<string, string> = {}) =>
  query(outputFields, { group_by_fields: groupBy, ...more });

const ordered = (order: string, more: Readonly<Record<string, string>> = { limit: '3' }) =>
  query(['id'], { order_by_fields: order, ...more });

const entry = (text: string) => `invalid order_by_fields entry: ${text}`;

/** Orders, groups and aggregates that no query can have. */
export const AGGREGATION_MISTAKES: readonly Mistake[] = mistakesOf(
  'Query',
  (
    [
      ['a sum of rows', query(['sum(*)'], {}), 'sum(*) is not supported, only count(*) is'],
      ['an aggregate of no field', query(['max(nothing)'], {}), 'field nothing not exist'],
      ['a sum of texts', query(['sum(title)'], {}), 'aggregation operator sum does not support field title'],
      [
        'an average of JSON',
        query(['avg(notes)'], {}),
        'aggregation operator avg does not support field notes',
      ],
      [
        'the least vector',
        query(['min(vector)'], {}),
        'aggregation operator min does not support field vector',
      ],
      ['the largest list', query(['max(tags)'], {}), 'aggregation operator max does not support field tags'],
      [
        'an aggregate beside a field',
        query(['count(*)', 'title'], {}),
        'output field title must be one of the group by fields or an aggregate',
      ],
      ['groups of no field', grouped(['nothing'], 'nothing'), 'group by field nothing does not exist'],
      ['groups of vectors', grouped(['vector'], 'vector'), 'group by field vector has unsupported data type'],
      ['groups of JSON', grouped(['notes'], 'notes'), 'group by field notes has unsupported data type'],
      ['groups of floats', grouped(['price'], 'price'), 'group by field price has unsupported data type'],
      ['groups of lists', grouped(['tags'], 'tags'), 'group by field tags has unsupported data type'],
      ['groups without columns', grouped([], 'title'), 'group_by_fields needs output fields'],
      [
        'a column that groups do not have',
        grouped(['id', 'count(*)'], 'title'),
        'output field id must be one of the group by fields or an aggregate',
      ],
      [
        'groups in the order of what they do not have',
        grouped(['title'], 'title', { order_by_fields: 'id', limit: '2' }),
        'order_by field id must be one of the group by fields or an aggregate of the output',
      ],
      ['an order by no field', ordered('nothing'), 'order_by field nothing does not exist'],
      ['an order of vectors', ordered('vector'), "order_by field vector has a type that can't be sorted"],
      ['an order of JSON', ordered('notes'), "order_by field notes has a type that can't be sorted"],
      ['an order of lists', ordered('tags:desc'), "order_by field tags has a type that can't be sorted"],
      ['an order twice by one field', ordered('id,title,id:desc'), 'duplicated field in order_by_fields: id'],
      ['an order without a name', ordered('id,'), entry('')],
      [
        'an order that goes nowhere',
        ordered('id:up'),
        `${entry('id:up')}, the direction must be asc or desc`,
      ],
      [
        'an order with nulls nowhere',
        ordered('id:asc:nulls'),
        `${entry('id:asc:nulls')}, nulls must be nulls_first or nulls_last`,
      ],
      ['an order of four parts', ordered('id:asc:nulls_first:x'), entry('id:asc:nulls_first:x')],
      ['an order without a limit', ordered('id', {}), 'ORDER BY requires explicit limit'],
      [
        'an order in an iterator',
        ordered('title', { limit: '3', iterator: 'True' }),
        'ORDER BY is not supported in a query iterator',
      ],
    ] as const
  ).map(([what, request, reason]) => [what, request, 1100, `${reason}${ending}`] as const),
);
