import { DataType, invalidParameter } from '@elanus/model';
import type { OrderKey, SearchTask } from '@elanus/rpc';
import type { Grouping } from '../group/read-grouping.ts';
import type { IteratorPage } from '../search-range.ts';
import type { FunctionChain } from './function-chain.ts';

/** Hits whose texts a chain has in memory, over all queries. */
const TEXTS_MAX = 4_096;

/** @throws MilvusError 1100 for what makes no sense beside chains, and for those that would read too many texts */
export function checkChains(
  chains: readonly FunctionChain[],
  asked: {
    readonly leg: Pick<SearchTask, 'queries' | 'limit'>;
    readonly grouping: Grouping | null;
    readonly orderBy: readonly OrderKey[];
    readonly iterator: IteratorPage | null;
  },
): void {
  const { leg, grouping, orderBy, iterator } = asked;
  const other =
    grouping !== null
      ? 'group by'
      : iterator !== null
        ? 'a search iterator'
        : orderBy.length > 0
          ? 'order_by'
          : null;
  if (other !== null) throw invalidParameter(`function_chains and ${other} cannot be used together`);
  const fields = chains.flatMap((chain) => chain.fields);
  const texts = fields.filter(({ dataType }) => dataType === DataType.VarChar).length;
  const hits = leg.queries.count * leg.limit;
  if (texts * hits > TEXTS_MAX)
    throw invalidParameter(
      `function_chains read the texts of ${texts * hits} hits, at most ${TEXTS_MAX} are read`,
    );
}
