import { optional, required } from './body.ts';
import { DONE, type Endpoints, endpoint } from './endpoint.ts';
import { DigitsOf } from './json-text.ts';
import { keyValues, shownPairs } from './key-values.ts';

const ALIAS = { dbName: optional('string'), aliasName: required('string') };
const ALIAS_OF = { ...ALIAS, collectionName: required('string') };
const DATABASE = { dbName: required('string') };

/** Aliases, databases and file resources. */
export const names: Endpoints = {
  'aliases/list': endpoint(
    { dbName: optional('string'), collectionName: optional('string') },
    async (body, caller) => {
      const { aliases } = await caller.ask('ListAliases', { collectionName: body.text('collectionName') });
      return { data: aliases };
    },
  ),
  'aliases/describe': endpoint(ALIAS, async (body, caller) => {
    const { dbName, collection, alias } = await caller.ask('DescribeAlias', {
      alias: body.text('aliasName'),
    });
    return { data: { dbName, collectionName: collection, aliasName: alias } };
  }),
  'aliases/create': endpoint(ALIAS_OF, async (body, caller) => {
    await caller.ask('CreateAlias', {
      collectionName: body.text('collectionName'),
      alias: body.text('aliasName'),
    });
    return DONE;
  }),
  'aliases/drop': endpoint(ALIAS, async (body, caller) => {
    await caller.ask('DropAlias', { alias: body.text('aliasName') });
    return DONE;
  }),
  'aliases/alter': endpoint(ALIAS_OF, async (body, caller) => {
    await caller.ask('AlterAlias', {
      collectionName: body.text('collectionName'),
      alias: body.text('aliasName'),
    });
    return DONE;
  }),
  'file_resources/list': endpoint({}, async (_, caller) => {
    const { resources } = await caller.ask('ListFileResources', {});
    return { data: resources.map(({ id, name, path }) => ({ id: new DigitsOf(id), name, path })) };
  }),
  'file_resources/add': endpoint(
    { name: required('string'), path: required('string') },
    async (body, caller) => {
      await caller.ask('AddFileResource', { name: body.text('name'), path: body.text('path') });
      return DONE;
    },
  ),
  'file_resources/remove': endpoint({ name: required('string') }, async (body, caller) => {
    await caller.ask('RemoveFileResource', { name: body.text('name') });
    return DONE;
  }),
  'databases/list': endpoint({}, async (_, caller) => {
    const { dbNames } = await caller.ask('ListDatabases', {});
    return { data: dbNames };
  }),
  'databases/create': endpoint({ ...DATABASE, properties: optional('object') }, async (body, caller) => {
    await caller.ask('CreateDatabase', {
      dbName: body.text('dbName'),
      properties: keyValues(body.object('properties')),
    });
    return DONE;
  }),
  'databases/drop': endpoint(DATABASE, async (body, caller) => {
    await caller.ask('DropDatabase', { dbName: body.text('dbName') });
    return DONE;
  }),
  'databases/describe': endpoint(DATABASE, async (body, caller) => {
    const { dbName, dbID, properties } = await caller.ask('DescribeDatabase', {
      dbName: body.text('dbName'),
    });
    return { data: { dbName, dbID: new DigitsOf(dbID), properties: shownPairs(properties) } };
  }),
  ...Object.fromEntries(
    ['databases/alter', 'databases/alter_properties'].map((path) => [
      path,
      endpoint({ ...DATABASE, properties: required('object') }, async (body, caller) => {
        await caller.ask('AlterDatabase', {
          dbName: body.text('dbName'),
          properties: keyValues(body.object('properties')),
        });
        return DONE;
      }),
    ]),
  ),
  'databases/drop_properties': endpoint(
    { ...DATABASE, propertyKeys: optional('strings') },
    async (body, caller) => {
      await caller.ask('AlterDatabase', {
        dbName: body.text('dbName'),
        deleteKeys: body.texts('propertyKeys'),
      });
      return DONE;
    },
  ),
};
