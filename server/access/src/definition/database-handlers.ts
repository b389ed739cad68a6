import type { AccessDependencies, Handlers } from '../handler.ts';

/** ListDatabases, DescribeDatabase. */
export function databaseHandlers({ root }: AccessDependencies): Handlers {
  return {
    async ListDatabases() {
      const databases = await root.listDatabases();
      return {
        dbNames: databases.map(({ name }) => name),
        dbIds: databases.map(({ id }) => id),
        createdTimestamp: databases.map(({ createdTimestamp }) => createdTimestamp),
      };
    },

    async DescribeDatabase(_request, context) {
      const database = await root.describeDatabase(context.database);
      return {
        dbName: database.name,
        dbID: database.id,
        createdTimestamp: database.createdTimestamp,
        properties: database.properties,
      };
    },
  };
}
