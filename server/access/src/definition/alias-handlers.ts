import { missingParameter } from '@elanus/model';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { collectionRef } from './collection-ref.ts';
import { checkAlias } from './names.ts';

/** Create, alter, drop, describe and list aliases. */
export function aliasHandlers({ root, limits }: AccessDependencies): Handlers {
  const refOf = (database: string, collection: string) => collectionRef(database, collection, limits);

  return {
    async CreateAlias(request, context) {
      checkAlias(request.alias, limits);
      await root.createAlias(refOf(context.database, request.collectionName), request.alias);
      return {};
    },

    async AlterAlias(request, context) {
      checkAlias(request.alias, limits);
      await root.alterAlias(refOf(context.database, request.collectionName), request.alias);
      return {};
    },

    async DropAlias(request, context) {
      checkAlias(request.alias, limits);
      await root.dropAlias(context.database, request.alias);
      return {};
    },

    async DescribeAlias({ alias }, { database }) {
      if (alias === '') throw missingParameter('no input alias', 'alias');
      const collection = await root.describeAlias(database, alias);
      return { dbName: database, alias, collection: collection.name };
    },

    async ListAliases({ collectionName }, { database }) {
      const answer = { dbName: database, collectionName };
      if (collectionName === '') return { ...answer, aliases: await root.listAliases(database) };
      const { id } = await root.describeCollection(refOf(database, collectionName));
      return { ...answer, aliases: await root.aliasesOf(id) };
    },
  };
}
