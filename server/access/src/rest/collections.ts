import { DataType, invalidParameter, MilvusError } from '@elanus/model';
import {
  type Draft,
  encode,
  type schema_CollectionSchema,
  type schema_FieldSchema,
  type schema_StructArrayFieldSchema,
} from '@elanus/proto';
import { type Body, optional, required } from './body.ts';
import { fieldOfBody, schemaOfBody, typeName } from './collection-schema.ts';
import { COLLECTION } from './collection-shape.ts';
import { DONE, type Endpoints, endpoint, type RestAnswer } from './endpoint.ts';
import { createIndexes } from './indexes.ts';
import { DigitsOf, type JsonOut } from './json-text.ts';
import { keyValues, rowCountOf, shownPairs } from './key-values.ts';
import type { RestCaller } from './rest-caller.ts';
import { missingParameters } from './rest-errors.ts';

const LOAD_STATES = ['LoadStateNotExist', 'LoadStateNotLoad', 'LoadStateLoading', 'LoadStateLoaded'];
const NOT_LOADED = LOAD_STATES.indexOf('LoadStateNotLoad');
const CONSISTENCY_LEVELS = ['Strong', 'Session', 'Bounded', 'Eventually', 'Customized'];
const FLUSH_POLL_MS = 20;

/** Names of levels as requests spell them. @throws MilvusError 1100 for another */
export function consistencyLevel(name: string): number {
  const level = CONSISTENCY_LEVELS.indexOf(name);
  if (level < 0)
    throw invalidParameter(
      `consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized], default: Bounded, but got ${name}`,
    );
  return level;
}

export const collections: Endpoints = {
  'collections/list': endpoint({ dbName: optional('string') }, async (_, caller) => {
    const { collectionNames } = await caller.ask('ShowCollections', {});
    return { data: collectionNames };
  }),
  'collections/has': endpoint(COLLECTION, async (body, caller) => {
    const { value } = await caller.ask('HasCollection', { collectionName: body.text('collectionName') });
    return { data: { has: value } };
  }),
  'collections/describe': endpoint(COLLECTION, async (body, caller) =>
    describe(body.text('collectionName'), caller),
  ),
  'collections/get_stats': endpoint(COLLECTION, async (body, caller) => {
    const { stats } = await caller.ask('GetCollectionStatistics', {
      collectionName: body.text('collectionName'),
    });
    return { data: { rowCount: rowCountOf(stats) } };
  }),
  'collections/get_load_state': endpoint(
    { ...COLLECTION, partitionNames: optional('strings') },
    async (body, caller) => {
      const target = {
        collectionName: body.text('collectionName'),
        partitionNames: body.texts('partitionNames'),
      };
      await caller.ask('DescribeCollection', { collectionName: target.collectionName });
      const { state } = await caller.ask('GetLoadState', target);
      if (state === NOT_LOADED) return { data: { loadState: LOAD_STATES[state]! } };
      const { progress } = await caller.ask('GetLoadingProgress', target);
      return {
        data: { loadProgress: Number(progress), loadState: LOAD_STATES[state] ?? '', message: '' },
      };
    },
  ),
  'collections/create': endpoint(
    {
      ...COLLECTION,
      description: optional('string'),
      dimension: optional('integer'),
      idType: optional('string'),
      autoID: optional('boolean'),
      primaryFieldName: optional('string'),
      vectorFieldName: optional('string'),
      vectorFieldType: optional('string'),
      metricType: optional('string'),
      consistencyLevel: optional('string'),
      schema: optional('object'),
      indexParams: optional('array'),
      params: optional('object'),
      properties: optional('object'),
    },
    create,
  ),
  'collections/drop': endpoint(COLLECTION, async (body, caller) => {
    await caller.ask('DropCollection', { collectionName: body.text('collectionName') });
    return DONE;
  }),
  'collections/truncate': endpoint(COLLECTION, async (body, caller) => {
    await caller.ask('TruncateCollection', { collectionName: body.text('collectionName') });
    return DONE;
  }),
  'collections/rename': endpoint(
    { ...COLLECTION, newCollectionName: required('string'), newDbName: optional('string') },
    async (body, caller) => {
      await caller.ask('RenameCollection', {
        oldName: body.text('collectionName'),
        newName: body.text('newCollectionName'),
        newDBName: body.text('newDbName'),
      });
      return DONE;
    },
  ),
  'collections/load': endpoint(COLLECTION, load(false)),
  'collections/refresh_load': endpoint(COLLECTION, load(true)),
  'collections/release': endpoint(COLLECTION, async (body, caller) => {
    await caller.ask('ReleaseCollection', { collectionName: body.text('collectionName') });
    return DONE;
  }),
  'collections/alter_properties': endpoint(
    { ...COLLECTION, properties: required('object') },
    async (body, caller) => {
      await caller.ask('AlterCollection', {
        collectionName: body.text('collectionName'),
        properties: keyValues(body.object('properties')),
      });
      return DONE;
    },
  ),
  'collections/drop_properties': endpoint(
    { ...COLLECTION, propertyKeys: optional('strings') },
    async (body, caller) => {
      await caller.ask('AlterCollection', {
        collectionName: body.text('collectionName'),
        deleteKeys: body.texts('propertyKeys'),
      });
      return DONE;
    },
  ),
  'collections/flush': endpoint(COLLECTION, flush),
  'collections/compact': endpoint(
    { ...COLLECTION, isClustering: optional('boolean') },
    async (body, caller) => {
      const { compactionID } = await caller.ask('ManualCompaction', {
        collectionName: body.text('collectionName'),
        majorCompaction: body.flag('isClustering'),
      });
      return { data: { compactionID: new DigitsOf(compactionID) } };
    },
  ),
  // The Node SDK sends the id under another name: then it is 0, and whatever was asked for is taken to have ended.
  'collections/get_compaction_state': endpoint({ jobID: optional('int64') }, async (body, caller) => {
    const compactionID = body.has('jobID') ? body.int64('jobID') : 0n;
    const answer = await caller.ask('GetCompactionState', { compactionID });
    return {
      data: {
        compactionID: new DigitsOf(compactionID),
        state: COMPACTION_STATES[answer.state] ?? 'UndefiedState',
        executingPlanNumber: Number(answer.executingPlanNo),
        timeoutPlanNumber: Number(answer.timeoutPlanNo),
        completedPlanNumber: Number(answer.completedPlanNo),
      },
    };
  }),
};

/** By their numbers on the wire, spelled as Milvus does. */
const COMPACTION_STATES = ['UndefiedState', 'Executing', 'Completed'] as const;

function load(refresh: boolean): (body: Body, caller: RestCaller) => Promise<RestAnswer> {
  return async (body, caller) => {
    await caller.ask('LoadCollection', { collectionName: body.text('collectionName'), refresh });
    return DONE;
  };
}

/** Ends when what was written before it is in files. */
async function flush(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const collectionName = body.text('collectionName');
  const { collSegIDs, collFlushTs } = await caller.ask('Flush', { collectionNames: [collectionName] });
  const segmentIDs = collSegIDs.get(collectionName)?.data ?? [];
  const flushTs = collFlushTs.get(collectionName) ?? 0n;
  for (;;) {
    const { flushed } = await caller.ask('GetFlushState', { segmentIDs, flushTs, collectionName });
    if (flushed) return DONE;
    caller.context.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, FLUSH_POLL_MS));
  }
}

async function create(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const schemaJson = body.object('schema');
  const isCustom = Array.isArray(schemaJson.fields) && schemaJson.fields.length > 0;
  const collectionName = body.text('collectionName');
  const params = body.object('params');
  const schema = isCustom
    ? schemaOfBody(collectionName, body.text('description'), schemaJson)
    : quickSchema(body);
  const level = levelOf(body);
  await caller.ask('CreateCollection', {
    collectionName,
    schema: encode('schema.CollectionSchema', schema),
    shardsNum: Number(params.shardsNum ?? 1),
    consistencyLevel: level,
    numPartitions: BigInt(Number(params.partitionsNum ?? 0)),
    properties: keyValues(propertiesOf(body)),
  });
  const indexes = isCustom ? body.list('indexParams') : [quickIndex(body)];
  if (indexes.length === 0) return DONE;
  await createIndexes(collectionName, indexes, caller);
  await caller.ask('LoadCollection', { collectionName });
  return DONE;
}

function levelOf(body: Body): number {
  const { consistencyLevel: inParams } = body.object('params');
  const level = body.text('consistencyLevel', typeof inParams === 'string' ? inParams : 'Bounded');
  if (typeof inParams === 'string' && inParams !== level)
    throw invalidParameter('consistencyLevel is given twice, with different values');
  return consistencyLevel(level);
}

/** Keys of `params` that are properties of the collection. */
const PROPERTY_OF_PARAM = new Map([
  ['ttlSeconds', 'collection.ttl.seconds'],
  ['ttlField', 'ttl_field'],
  ['partitionKeyIsolation', 'partitionkey.isolation'],
  ['mmap.enabled', 'mmap.enabled'],
]);

function propertiesOf(body: Body): Record<string, never> {
  const properties = { ...body.object('properties') } as Record<string, never>;
  const params = body.object('params');
  for (const [param, property] of PROPERTY_OF_PARAM) {
    const value = params[param] ?? null;
    if (value === null) continue;
    if (property in properties)
      throw invalidParameter(`${param} is given twice, in params and in properties`);
    properties[property] = value as never;
  }
  return properties;
}

function quickSchema(body: Body): Draft<schema_CollectionSchema> {
  const { enableDynamicField = true, max_length: maxLength } = body.object('params');
  const vectorType = body.text('vectorFieldType', 'FloatVector');
  const isSparse = vectorType === 'SparseFloatVector';
  const dimension = body.number('dimension', 0);
  if (!isSparse && dimension === 0)
    throw invalidParameter(
      'dimension is required for quickly create collection(default metric type: COSINE)',
    );
  const vector = fieldOfBody({
    fieldName: body.text('vectorFieldName', 'vector'),
    dataType: vectorType,
    ...(isSparse ? {} : { elementTypeParams: { dim: dimension } }),
  });
  const key: Draft<schema_FieldSchema> = {
    name: body.text('primaryFieldName', 'id'),
    dataType: keyType(body.text('idType', 'Int64')),
    isPrimaryKey: true,
    autoID: body.flag('autoID'),
    typeParams: maxLength === undefined ? [] : [{ key: 'max_length', value: String(maxLength) }],
  };
  return {
    name: body.text('collectionName'),
    description: body.text('description'),
    autoID: body.flag('autoID'),
    enableDynamicField: enableDynamicField === true || enableDynamicField === 'true',
    fields: [key, vector],
  };
}

function keyType(name: string): DataType {
  switch (name) {
    case 'Int64':
    case 'int64':
      return DataType.Int64;
    case 'VarChar':
    case 'Varchar':
      return DataType.VarChar;
    default:
      throw invalidParameter(`idType can only be [Int64, VarChar], default: Int64, but got ${name}`);
  }
}

function quickIndex(body: Body): { fieldName: string; metricType: string } {
  const sparse = body.text('vectorFieldType') === 'SparseFloatVector';
  const binary = body.text('vectorFieldType') === 'BinaryVector';
  const metric = sparse ? 'IP' : binary ? 'HAMMING' : 'COSINE';
  return { fieldName: body.text('vectorFieldName', 'vector'), metricType: body.text('metricType', metric) };
}

async function describe(collectionName: string, caller: RestCaller): Promise<RestAnswer> {
  const found = await caller.ask('DescribeCollection', { collectionName });
  const schema = found.schema;
  if (schema === undefined) throw missingParameters('the collection has no schema');
  const { state } = await caller.ask('GetLoadState', { collectionName });
  return {
    data: {
      aliases: found.aliases,
      autoId: schema.fields.some(({ autoID }) => autoID),
      collectionID: new DigitsOf(found.collectionID),
      collectionName: found.collectionName,
      consistencyLevel: CONSISTENCY_LEVELS[found.consistencyLevel] ?? '',
      description: schema.description,
      enableDynamicField: schema.enableDynamicField,
      fields: schema.fields.filter(({ isDynamic }) => !isDynamic).map(shownField),
      ...(schema.structArrayFields.length > 0
        ? { structFields: schema.structArrayFields.map(shownStruct) }
        : {}),
      functions: schema.functions.map((made) => ({
        name: made.name,
        description: made.description,
        type: made.type,
        id: new DigitsOf(made.id),
        inputFieldNames: made.inputFieldNames,
        outputFieldNames: made.outputFieldNames,
        params: shownPairs(made.params),
      })),
      indexes: await shownIndexes(collectionName, caller),
      load: LOAD_STATES[state] ?? '',
      partitionsNum: Number(found.numPartitions),
      properties: shownPairs(found.properties),
      shardsNum: found.shardsNum,
    },
  };
}

async function shownIndexes(collectionName: string, caller: RestCaller): Promise<JsonOut> {
  try {
    const { indexDescriptions } = await caller.ask('DescribeIndex', { collectionName });
    return indexDescriptions.map(({ indexName, fieldName, params }) => ({
      indexName,
      fieldName,
      metricType: params.find(({ key }) => key === 'metric_type')?.value ?? '',
    }));
  } catch (error) {
    // 700: it has none.
    if (error instanceof MilvusError) return [];
    throw error;
  }
}

function shownField(field: schema_FieldSchema): JsonOut {
  return {
    name: field.name,
    id: new DigitsOf(field.fieldID),
    type: typeName(field.dataType),
    description: field.description,
    primaryKey: field.isPrimaryKey,
    partitionKey: field.isPartitionKey,
    clusteringKey: field.isClusteringKey,
    autoId: field.autoID,
    nullable: field.nullable,
    ...(field.typeParams.length > 0 ? { params: shownPairs(field.typeParams) } : {}),
    ...(field.elementType > 0 ? { elementType: typeName(field.elementType) } : {}),
    ...(field.isFunctionOutput ? { isFunctionOutput: true } : {}),
    ...(field.defaultValue === undefined ? {} : { defaultValue: field.defaultValue as unknown as JsonOut }),
  };
}

function shownStruct(struct: schema_StructArrayFieldSchema): JsonOut {
  return {
    name: struct.name,
    id: new DigitsOf(struct.fieldID),
    type: typeName(DataType.ArrayOfStruct),
    description: struct.description,
    nullable: struct.nullable,
    ...(struct.typeParams.length > 0 ? { params: shownPairs(struct.typeParams) } : {}),
    fields: struct.fields.map(shownField),
  };
}
