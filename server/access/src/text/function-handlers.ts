import { type CollectionInfo, invalidParameter, type SchemaFunction } from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handlers } from '../handler.ts';

/** Those that come with their collection, by their numbers on the wire. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'BM25'],
  [4, 'MinHash'],
]);

/**
 * Changes of the functions of a collection, which come with their fields so far and stay as they are.
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
      const collection = await find(context.database, request.collectionName);
      const { type } = requiredFunction(collection, request.functionName);
      throw invalidParameter(`Currently does not support alter ${type} function`);
    },

    async DropCollectionFunction(request, context) {
      const collection = await find(context.database, request.collectionName);
      const { type } = requiredFunction(collection, request.functionName);
      throw invalidParameter(`Currently does not support droping ${type} function`);
    },
  };
}

function refusalToAdd(given: schema_FunctionSchema | undefined): Error {
  if (given === undefined) return invalidParameter('function schema is not set');
  const name = NAMES.get(given.type);
  if (name !== undefined) return invalidParameter(`Currently does not support adding ${name} function`);
  return invalidParameter(`function ${given.name}: functions of type ${given.type} are not supported yet`);
}

function requiredFunction({ schema }: CollectionInfo, name: string): SchemaFunction {
  const found = schema.functions.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw invalidParameter(`Function ${name} not exists`);
}
