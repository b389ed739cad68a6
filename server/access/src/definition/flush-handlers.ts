import type { Timestamp } from '@elanus/model';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { collectionRef } from './collection-ref.ts';

/** Flush and its polling. Everything acknowledged is durable and seen already: a flush only moves it to files. */
export function flushHandlers({ root, data, limits }: AccessDependencies): Handlers {
  return {
    async Flush(request, context) {
      const names = [...new Set(request.collectionNames)];
      const refs = names.map((name) => collectionRef(context.database, name, limits));
      const results = await data.flush(refs);
      /** Clients look results up by the very name they asked with. */
      const byName = <Value>(value: (result: (typeof results)[number]) => Value) =>
        new Map(results.map((result, at) => [names[at]!, value(result)]));
      return {
        dbName: context.database,
        collSegIDs: byName(({ segmentIds }) => ({ data: segmentIds })),
        flushCollSegIDs: byName(({ segmentIds }) => ({ data: segmentIds })),
        collFlushTs: byName(({ flushTimestamp }) => flushTimestamp),
        collSealTimes: byName(({ sealTimeSeconds }) => sealTimeSeconds),
      };
    },

    async GetFlushState(request, context) {
      const { collectionName: collection, segmentIDs, flushTs } = request;
      const ref = collection === '' ? null : collectionRef(context.database, collection, limits);
      return { flushed: await data.isFlushed(ref, segmentIDs, flushTs as Timestamp) };
    },

    async FlushAll(_request, context) {
      await root.describeDatabase(context.database);
      return { flushAllTs: await data.flushAll() };
    },

    async GetFlushAllState(request, context) {
      await root.describeDatabase(context.database);
      return { flushed: await data.isFlushed(null, [], request.flushAllTs as Timestamp) };
    },
  };
}
