import type { Message } from './milvus-service.ts';
import type { Step } from './requests.ts';

type Pairs = Readonly<Record<string, string>>;

/** How `requests.ts` makes searches and queries of its collection. */
export interface RequestMakers {
  search(vector: readonly number[], parameters: Pairs, rest?: Message): Message;
  query(expr: string, outputFields: readonly string[], rest?: Message): Message;
}

const ORIGIN = [0, 0, 0, 0];

/** Ranges, pages and iterators: what of the forms of search Milvus 2.3.5 has. */
export function formSteps({ search, query }: RequestMakers): readonly Step[] {
  const ranges: readonly (readonly [what: string, params: string, more?: Pairs])[] = [
    ['a radius', '{"radius": 30}'],
    ['a radius that a row lies on', '{"radius": 25}'],
    ['a range filter that a row lies on', '{"radius": 60, "range_filter": 25}'],
    ['a radius that nothing is within', '{"radius": 0}'],
    ['a range with an offset', '{"radius": 60, "range_filter": 1}', { offset: '2' }],
    ['a range and few hits', '{"radius": 60, "range_filter": 1}', { topk: '2' }],
    ['a range filter alone', '{"range_filter": 4}'],
    ['a range that holds nothing', '{"radius": 4, "range_filter": 30}'],
    ['a radius that is a text', '{"radius": "far"}'],
  ];
  return [
    ...ranges.map(([what, params, more]) => ({
      does: `search in ${what}`,
      rpc: 'Search',
      request: search(ORIGIN, { topk: '9', params, ...more }),
    })),
    ...['7', '-2', 'one'].map((places) => ({
      does: `search with ${places} decimal places`,
      rpc: 'Search',
      request: search(ORIGIN, { round_decimal: places }),
    })),
    { does: 'search a page of an iterator', rpc: 'Search', request: search(ORIGIN, { iterator: 'True' }) },
    ...['id > 2', 'id > 5 and (id >= 0)', 'id > 400'].map((expr) => ({
      does: `query a page of an iterator: ${expr}`,
      rpc: 'Query',
      request: query(expr, ['id'], {
        queryParams: [
          { key: 'limit', value: '3' },
          { key: 'iterator', value: 'True' },
          { key: 'reduce_stop_for_best', value: 'True' },
        ],
      }),
    })),
    { does: 'query an aggregate that there is not', rpc: 'Query', request: query('id > 0', ['median(id)']) },
  ];
}
