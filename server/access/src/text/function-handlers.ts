import { type CollectionInfo, invalidParameter } from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handlers } from '../handler.ts';

const BM25 = 1;

/**
 * Changes of the functions of a collection. Those that there can be so far, BM25, come with their fields and stay as
 * they are, in Milvus, too.
 */
export function functionHandlers({ root, limits }: Pick<AccessDependencies, 'root' | 'limits'>): Handlers {
  const find = async (database: string, collection: string): Promise<CollectionInfo> =>
    await root.describeCollection(collectionRef(database, collection, limits));

  return {
    async AddCollectionFunction(request, context) {
      await find(context.database, request.collectionName);
      throw refusalToAdd(request.functionSchema);
    },

    async AlterCollectionFunction(request, context) {
      requireFunction(await find(context.database, request.collectionName), request.functionName);
      throw invalidParameter('Currently does not support alter BM25 function');
    },

    async DropCollectionFunction(request, context) {
      requireFunction(await find(context.database, request.collectionName), request.functionName);
      throw invalidParameter('Currently does not support droping BM25 function');
    },
  };
}

function refusalToAdd(given: schema_FunctionSchema | undefined): Error {
  if (given === undefined) return invalidParameter('function schema is not set');
  if (given.type === BM25) return invalidParameter('Currently does not support adding BM25 function');
  return invalidParameter(`function ${given.name}: functions of type ${given.type} are not supported yet`);
}

function requireFunction({ schema }: CollectionInfo, name: string): void {
  if (schema.functions.some((each) => each.name === name)) return;
  throw invalidParameter(`Function ${name} not exists`);
}
