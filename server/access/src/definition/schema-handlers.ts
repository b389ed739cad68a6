import {
  type CollectionInfo,
  type CollectionSchema,
  invalidParameter,
  type KeyValue,
  lastValueOf,
  schemaMismatch,
} from '@elanus/model';
import { DecodeError, decode, type Methods, type schema_FieldSchema } from '@elanus/proto';
import type { CollectionRef, CreateIndex } from '@elanus/rpc';
import type { AccessDependencies, CallContext, Handlers } from '../handler.ts';
import { wordFileReader } from '../text/word-file-reader.ts';
import { checkModels, checkTokenizers } from './check-models.ts';
import { collectionRef, ownRef } from './collection-ref.ts';
import { flattenIndexParams, isTrue, propertyChange } from './key-values.ts';
import { checkIndexName } from './names.ts';
import { withAlteredFunction, withFunction, withoutFunction } from './schema/change-functions.ts';
import {
  type FieldRef,
  withDynamicField,
  withField,
  withFieldParams,
  withFunctionField,
  withoutField,
  withoutFunctionAndOutput,
  withStructArray,
} from './schema/change-schema.ts';
import { checkCollectionProperties, checkExpiry } from './schema/collection-properties.ts';
import type { SchemaContext } from './schema/stored-field.ts';
import { inlinedParams, readWordFiles } from './schema/word-files.ts';
import { timeZoneOf } from './timezone.ts';

/** How often a change is made anew because another one came first. */
const ATTEMPTS_MAX = 10;
const DYNAMIC_FIELD_PROPERTY = 'dynamicfield.enabled';

type SchemaChange = (schema: CollectionSchema, context: SchemaContext) => CollectionSchema;

/** A change of a schema, and the index of the field that it adds. */
interface SchemaAction {
  readonly change: SchemaChange;
  readonly index?: CreateIndex;
}

/** Changes of collections that exist: fields, their parameters, properties. */
export function schemaHandlers(dependencies: AccessDependencies): Handlers {
  const { root, limits } = dependencies;
  const read = wordFileReader(dependencies);
  const refOf = (database: string, name: string) => collectionRef(database, name, limits);

  const contextOf = (collection: CollectionInfo): SchemaContext => ({
    collection: collection.name,
    timeZone: timeZoneOf(collection),
    limits,
  });

  /** `asking`: the change is about functions, whose models are asked first. */
  const changeSchema = async (
    ref: CollectionRef,
    change: SchemaChange,
    { asking, index }: { readonly asking?: CallContext; readonly index?: CreateIndex | undefined } = {},
  ): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const collection = await root.describeCollection(ref);
      const schema = change(collection.schema, contextOf(collection));
      if (schema === collection.schema) return;
      const before = new Set(collection.schema.fields);
      await checkTokenizers(
        dependencies,
        schema.fields.filter((field) => !before.has(field)),
      );
      if (asking !== undefined) await checkModels(dependencies, schema, asking);
      const altered = { schema, ...(index === undefined ? {} : { index }) };
      if ((await root.alterCollection(ownRef(collection), altered)) === 'done') return;
    }
    throw schemaMismatch(ref.collection);
  };

  return {
    async AddCollectionField(request, { database }) {
      const field = decodeField(request.schema);
      await readWordFiles([field], read);
      await changeSchema(refOf(database, request.collectionName), (schema, context) =>
        withField(schema, field, context),
      );
      return {};
    },

    async AddCollectionStructField(request, { database }) {
      const struct = request.structArrayFieldSchema;
      if (struct === undefined) throw invalidParameter('struct array field schema is not set');
      await changeSchema(refOf(database, request.collectionName), (schema, context) =>
        withStructArray(schema, struct, context),
      );
      return {};
    },

    async AlterCollectionField(request, { database }) {
      const { collectionName, fieldName, properties, deleteKeys } = request;
      const change = propertyChange(properties, deleteKeys, 'collection');
      const inlined = await inlinedParams(change.set, read);
      await changeSchema(refOf(database, collectionName), (schema, context) =>
        withFieldParams(schema, fieldName, { ...change, inlined }, context),
      );
      return {};
    },

    async AlterCollectionSchema(request, { database }) {
      const added = request.action?.addRequest?.fieldInfos ?? [];
      await readWordFiles(
        added.flatMap(({ fieldSchema }) => fieldSchema ?? []),
        read,
      );
      const { change, index } = readSchemaAction(request.action);
      if (index !== undefined) checkIndexName(index.indexName, limits);
      await changeSchema(refOf(database, request.collectionName), change, { index });
      return {};
    },

    async AddCollectionFunction(request, context) {
      await changeSchema(
        refOf(context.database, request.collectionName),
        (schema) => withFunction(schema, request.functionSchema),
        { asking: context },
      );
      return {};
    },

    async AlterCollectionFunction(request, context) {
      const { functionName, functionSchema } = request;
      await changeSchema(
        refOf(context.database, request.collectionName),
        (schema) => withAlteredFunction(schema, functionName, functionSchema),
        { asking: context },
      );
      return {};
    },

    async DropCollectionFunction(request, { database }) {
      await changeSchema(refOf(database, request.collectionName), (schema) =>
        withoutFunction(schema, request.functionName),
      );
      return {};
    },

    async AlterCollection(request, { database }) {
      const change = propertyChange(request.properties, request.deleteKeys, 'collection');
      checkCollectionProperties(change.set);
      const dynamic = lastValueOf(change.set, DYNAMIC_FIELD_PROPERTY);
      if (dynamic !== undefined && !isTrue(dynamic)) {
        throw invalidParameter('dynamic schema cannot supported to be disabled');
      }
      const ref = refOf(database, request.collectionName);
      if (dynamic !== undefined) await changeSchema(ref, withDynamicField);
      const set = change.set.filter(({ key }) => key !== DYNAMIC_FIELD_PROPERTY);
      if (set.length + change.remove.length > 0) {
        const { properties, schema } = await root.describeCollection(ref);
        const kept = properties.filter(({ key }) => !change.remove.includes(key));
        checkExpiry([...kept, ...set], schema.fields);
        await root.alterCollection(ref, { properties: { ...change, set } });
      }
      return {};
    },
  };
}

function decodeField(bytes: Uint8Array): schema_FieldSchema {
  try {
    return decode('schema.FieldSchema', bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw invalidParameter('the schema of the field is not a FieldSchema message');
  }
}

type Action = NonNullable<Methods['AlterCollectionSchema']['request']['action']>;
type AddRequest = NonNullable<Action['addRequest']>;

/** @throws MilvusError 1100 */
function readSchemaAction(action: Methods['AlterCollectionSchema']['request']['action']): SchemaAction {
  const { addRequest: add, dropRequest: drop } = action ?? {};
  return add !== undefined ? readAddition(add) : { change: readDrop(drop) };
}

/** A field; a function of the kinds that make their own field, with that. @throws MilvusError 1100 */
function readAddition({ fieldInfos, funcSchema }: AddRequest): SchemaAction {
  if (funcSchema.length > 1) throw invalidParameter('For now, at most one function schema is supported');
  if (fieldInfos.length > 1) throw invalidParameter('For now, only one field info is supported');
  const [added, made] = [fieldInfos[0], funcSchema[0]];
  if (added === undefined)
    throw invalidParameter(
      made === undefined
        ? 'fieldInfos and function schema are both empty'
        : 'adding a function over existing fields is not supported; use add_function_field to add the function together with its new output field',
    );
  const { fieldSchema: field, indexName, extraParams } = added;
  if (field === undefined) throw invalidParameter('fieldSchema is nil in fieldInfos');
  if (made === undefined) return { change: (schema, context) => withField(schema, field, context) };
  const index = { fieldName: field.name, indexName, params: indexParamsOf(made, extraParams) };
  return { change: (schema, context) => withFunctionField(schema, field, made, context), index };
}

const METRICS: Readonly<Record<number, string>> = { 1: 'BM25', 4: 'MHJACCARD' };

/** A function has one metric, which need not be said. */
function indexParamsOf(
  { type }: AddRequest['funcSchema'][number],
  sent: readonly KeyValue[],
): readonly KeyValue[] {
  const params = flattenIndexParams(sent);
  const metric = METRICS[type];
  if (metric === undefined || params.some(({ key }) => key === 'metric_type')) return params;
  return [...params, { key: 'metric_type', value: metric }];
}

function readDrop(drop: Action['dropRequest']): SchemaChange {
  if (drop === undefined) throw invalidParameter('the action of the schema change is not set');
  if (drop.functionName !== undefined) {
    const { functionName: name, dropFunctionOutputFields: withOutput } = drop;
    return (schema) => (withOutput ? withoutFunctionAndOutput(schema, name) : withoutFunction(schema, name));
  }
  const ref: FieldRef = { name: drop.fieldName || undefined, id: drop.fieldId || undefined };
  if (ref.name === undefined && ref.id === undefined)
    throw invalidParameter('the field to drop is not named');
  return (schema) => withoutField(schema, ref);
}
