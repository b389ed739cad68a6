import { invalidParameter } from '@elanus/model';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { checkDatabaseProperties } from './database-properties.ts';
import { checkDatabaseName } from './names.ts';

/** Create, drop, list, describe and alter databases. */
export function databaseHandlers({ root, limits }: AccessDependencies): Handlers {
  return {
    // What is to be made or dropped is named by the request itself, never by the header.
    async CreateDatabase({ dbName, properties }) {
      checkDatabaseName(dbName, limits);
      checkDatabaseProperties(properties);
      await root.createDatabase(
        dbName,
        properties.map(({ key, value }) => ({ key, value })),
      );
      return {};
    },

    async DropDatabase({ dbName }) {
      checkDatabaseName(dbName, limits);
      await root.dropDatabase(dbName);
      return {};
    },

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

    async AlterDatabase({ properties, deleteKeys }, { database }) {
      if (properties.length === 0 && deleteKeys.length === 0) {
        throw invalidParameter(
          'alter database with empty properties and delete keys, expected to set either properties or delete keys',
        );
      }
      if (properties.length > 0 && deleteKeys.length > 0) {
        throw invalidParameter('alter database cannot modify properties and delete keys at the same time');
      }
      checkDatabaseProperties(properties);
      await root.alterDatabase(database, {
        set: properties.map(({ key, value }) => ({ key, value })),
        remove: deleteKeys,
      });
      return {};
    },
  };
}
