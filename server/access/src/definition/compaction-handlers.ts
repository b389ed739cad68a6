import type { CollectionId, PartitionId } from '@elanus/model';
import type { CompactionReport } from '@elanus/rpc';
import type { AccessDependencies, CallContext, Handlers } from '../handler.ts';
import { collectionRef } from './collection-ref.ts';

/** Numbers of the wire. */
const EXECUTING = 1;
const COMPLETED = 2;
/** What a merge has for a target as long as there is none. */
const NO_TARGET = 0n;
const MIB = 1024n * 1024n;

/** Compaction and its polling: small segments become one, and deleted rows are left out. */
export function compactionHandlers({ root, data, limits }: AccessDependencies): Handlers {
  const refOf = async (
    { collectionName, collectionID }: { readonly collectionName: string; readonly collectionID: bigint },
    context: CallContext,
  ) => {
    if (collectionName !== '' || collectionID === 0n)
      return collectionRef(context.database, collectionName, limits);
    const { databaseName, name } = await root.describeCollectionById(collectionID as CollectionId);
    return { database: databaseName, collection: name };
  };
  return {
    async ManualCompaction(request, context) {
      const { partitionId, targetSize } = request;
      const { id, plans } = await data.compact(await refOf(request, context), {
        partitionId: partitionId === 0n ? null : (partitionId as PartitionId),
        bytesMax: targetSize > 0n ? Number(targetSize * MIB) : null,
      });
      return { compactionID: id, compactionPlanCount: plans };
    },

    async GetCompactionState(request) {
      const report = data.compaction(request.compactionID);
      return {
        state: stateOf(report),
        executingPlanNo: BigInt(report.executing),
        completedPlanNo: BigInt(report.completed),
        failedPlanNo: BigInt(report.failed),
      };
    },

    async GetCompactionStateWithPlans(request) {
      const report = data.compaction(request.compactionID);
      const mergeInfos = report.merges.map(({ sources, target }) => ({
        sources: [...sources],
        target: target ?? NO_TARGET,
      }));
      return { state: stateOf(report), mergeInfos };
    },
  };
}

/** A job that nobody remembers has ended. */
function stateOf({ executing }: CompactionReport): number {
  return executing > 0 ? EXECUTING : COMPLETED;
}
