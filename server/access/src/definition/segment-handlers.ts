import type { AccessDependencies, Handlers } from '../handler.ts';
import { NODE_ID } from './collection-handlers.ts';
import { collectionRef } from './collection-ref.ts';

/** `common.SegmentState` on the wire. */
const STATE = { growing: 2, sealed: 3, flushed: 4 } as const;
/** `common.SegmentLevel`: what a flush makes. */
const LEVEL_1 = 2;
/** Arrow files, Milvus' second format. */
const STORAGE_VERSION = 2n;

/** Which segments there are, in files and in use. */
export function segmentHandlers({ root, query, data, limits }: AccessDependencies): Handlers {
  return {
    async GetPersistentSegmentInfo(request, context) {
      const ref = collectionRef(context.database, request.collectionName, limits);
      const { collectionId, segments } = await data.storedSegments(ref);
      return {
        infos: segments.map(({ id, partitionId, rows }) => ({
          segmentID: id,
          collectionID: collectionId,
          partitionID: partitionId,
          numRows: BigInt(rows),
          state: STATE.flushed,
          level: LEVEL_1,
          isSorted: false,
          storageVersion: STORAGE_VERSION,
        })),
      };
    },

    async GetQuerySegmentInfo(request, context) {
      const ref = collectionRef(context.database, request.collectionName, limits);
      const { id } = await root.describeCollection(ref);
      const isLoaded = (await query.loadInfo(id)) !== undefined;
      if (!isLoaded) return { infos: [] };
      const { collectionId, segments, indexes } = await data.servedSegments(ref);
      return {
        infos: segments.map(({ id, partitionId, rows, state, memoryBytes, indexedFields }) => {
          const index = indexedFields.map((field) => indexes.get(field)).find((found) => found !== undefined);
          return {
            segmentID: id,
            collectionID: collectionId,
            partitionID: partitionId,
            memSize: BigInt(memoryBytes),
            numRows: BigInt(rows),
            indexName: index?.name ?? '',
            indexID: index?.id ?? 0n,
            nodeIds: [NODE_ID],
            state: STATE[state],
            level: LEVEL_1,
            storageVersion: STORAGE_VERSION,
          };
        }),
      };
    },
  };
}
