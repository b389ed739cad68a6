import {
  type CollectionSchema,
  type ConsistencyLevel,
  invalidParameter,
  type KeyValue,
  unexpectedParameter,
} from '@elanus/model';
import { DecodeError, decode, type Methods, type schema_CollectionSchema } from '@elanus/proto';
import type { CreateCollection } from '@elanus/rpc';
import type { AccessLimits } from '../../limits.ts';
import { checkCollectionProperties, checkExpiry } from './collection-properties.ts';
import { readSchema } from './read-schema.ts';

type Request = Methods['CreateCollection']['request'];

const CONSISTENCY_LEVEL_MAX = 4;

/**
 * What the request, whose schema is `message`, asks for, every rule checked. The collection has the database's time zone unless it asks for another.
 * @throws MilvusError for the first rule that is broken
 */
export function readCreateCollection(
  request: Request,
  message: schema_CollectionSchema,
  database: { readonly name: string; readonly timeZone: string },
  limits: AccessLimits,
): CreateCollection {
  const properties = propertiesOf(request, message);
  if (request.shardsNum > limits.shardsMax) {
    throw invalidParameter(`maximum shards's number should be limited to ${limits.shardsMax}`);
  }
  const { timeZone } = database;
  const schema = readSchema(message, { properties, partitionsNum: request.numPartitions, timeZone }, limits);
  checkCollectionProperties(properties);
  checkExpiry(properties, schema.fields);
  if (request.collectionName !== schema.name) {
    throw unexpectedParameter(
      'collection name matches schema name',
      "don't match",
      `collection name = ${request.collectionName}, schema.Name=${schema.name}`,
    );
  }
  return {
    database: database.name,
    schema,
    shardsNum: Math.max(1, request.shardsNum),
    partitionsNum: partitionsNumOf(request, schema, limits),
    consistencyLevel: consistencyLevelOf(request.consistencyLevel),
    properties,
  };
}

/** @throws MilvusError 1100 when the bytes are none of a schema */
export function decodeSchema(bytes: Uint8Array): schema_CollectionSchema {
  try {
    return decode('schema.CollectionSchema', bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw invalidParameter('the schema of the collection is not a CollectionSchema message');
  }
}

/** Older clients put the properties into the schema. */
function propertiesOf(request: Request, message: schema_CollectionSchema): readonly KeyValue[] {
  const given = request.properties.length > 0 ? request.properties : message.properties;
  return given.map(({ key, value }) => ({ key, value }));
}

/** The number was checked together with the partition key. */
function partitionsNumOf(request: Request, schema: CollectionSchema, limits: AccessLimits): number {
  if (schema.partitionKey === null) return 0;
  return request.numPartitions === 0n ? limits.partitionKeyPartitions : Number(request.numPartitions);
}

function consistencyLevelOf(level: number): ConsistencyLevel {
  if (Number.isInteger(level) && level >= 0 && level <= CONSISTENCY_LEVEL_MAX)
    return level as ConsistencyLevel;
  throw invalidParameter(`invalid consistency level: ${level}`);
}
