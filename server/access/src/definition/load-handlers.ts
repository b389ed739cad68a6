import { MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { LoadRequest } from '@elanus/rpc';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { collectionRef, ownRef } from './collection-ref.ts';
import { refuseHiddenPartitions } from './partition-handlers.ts';

/** `LoadState` on the wire. */
const LOAD_STATE = { 'not-exist': 0, 'not-load': 1, loading: 2, loaded: 3 } as const;

const DEFAULT_RESOURCE_GROUP = '__default_resource_group';

/** Load and release, whole collections and partitions. */
export function loadHandlers({ root, query, limits }: AccessDependencies): Handlers {
  const refOf = (database: string, collection: string) => collectionRef(database, collection, limits);

  return {
    async LoadCollection(request, context) {
      const ref = refOf(context.database, request.collectionName);
      await query.load(ref, loadRequest(request, null));
      return {};
    },

    async LoadPartitions(request, context) {
      const ref = refOf(context.database, request.collectionName);
      const collection = await root.describeCollection(ref);
      refuseHiddenPartitions(collection, 'load partitions');
      await query.load(ownRef(collection), loadRequest(request, request.partitionNames));
      return {};
    },

    async ReleaseCollection(request, context) {
      await query.release(refOf(context.database, request.collectionName), null);
      return {};
    },

    async ReleasePartitions(request, context) {
      const ref = refOf(context.database, request.collectionName);
      const collection = await root.describeCollection(ref);
      refuseHiddenPartitions(collection, 'release partitions');
      await query.release(ownRef(collection), request.partitionNames);
      return {};
    },

    async GetLoadState(request, context) {
      const ref = refOf(context.database, request.collectionName);
      return { state: LOAD_STATE[await query.loadState(ref, request.partitionNames)] };
    },

    async GetLoadingProgress(request, context) {
      const ref = refOf(context.database, request.collectionName);
      const { percent } = await query.loadProgress(ref, request.partitionNames);
      return { progress: BigInt(percent), refreshProgress: BigInt(percent) };
    },
  };
}

function loadRequest(
  request: Methods['LoadCollection']['request'] | Methods['LoadPartitions']['request'],
  partitions: readonly string[] | null,
): LoadRequest {
  const unknownGroup = request.resourceGroups.find((group) => group !== DEFAULT_RESOURCE_GROUP);
  if (unknownGroup !== undefined) {
    throw new MilvusError(`resource group not found[rg=${unknownGroup}]`, { code: 300, inputError: true });
  }
  return {
    partitions,
    fields: request.loadFields,
    skipDynamicField: request.skipLoadDynamicField,
    replicaNumber: request.replicaNumber,
    refresh: request.refresh,
  };
}
