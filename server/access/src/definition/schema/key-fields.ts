import { DataType, invalidParameter, MilvusError, missingParameter } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import type { AccessLimits } from '../../limits.ts';
import { isElementType, isVectorField } from './client-field.ts';

type Fields = readonly schema_FieldSchema[];

/** @throws MilvusError 1100, or 1101 when there is no primary key */
export function checkPrimaryKey(fields: Fields): void {
  const keys = fields.filter(({ isPrimaryKey }) => isPrimaryKey);
  if (keys.length > 1) {
    throw invalidParameter(`there are more than one primary key, field name = ${namesOf(keys)}`);
  }
  const [key] = keys;
  if (key === undefined) throw missingParameter('primary key is not specified', 'primary_key');
  if (!isKeyType(key)) throw invalidParameter('the data type of primary key should be Int64 or VarChar');
  if (key.nullable) throw invalidParameter(`primary field not support null, field name = ${key.name}`);
}

/** @throws MilvusError 1100 */
export function checkAutoId(fields: Fields): void {
  const automatic = fields.filter(({ autoID }) => autoID);
  if (automatic.length > 1) {
    throw invalidParameter(`only one field can speficy AutoID with true, field name = ${namesOf(automatic)}`);
  }
  const [field] = automatic;
  if (field === undefined || field.isPrimaryKey) return;
  throw invalidParameter(`only primary field can speficy AutoID with true, field name = ${field.name}`);
}

/** @throws MilvusError 1100 */
export function checkPartitionKey(fields: Fields): void {
  const keys = fields.filter(({ isPartitionKey }) => isPartitionKey);
  if (keys.length > 1) {
    throw invalidParameter(`there are more than one partition key, field name = ${namesOf(keys)}`);
  }
  const [key] = keys;
  if (key === undefined) return;
  if (key.isPrimaryKey) throw invalidParameter('the partition key field must not be primary field');
  if (key.nullable) {
    throw invalidParameter(`partition key field not support nullable, field name = ${key.name}`);
  }
  if (!isKeyType(key)) throw invalidParameter('the data type of partition key should be Int64 or VarChar');
}

/** `count` 0 asks for the default. @throws MilvusError 1100 */
export function checkPartitionsNum(
  count: bigint,
  fields: Fields,
  limits: Pick<AccessLimits, 'partitionsMax'>,
): void {
  if (!fields.some(({ isPartitionKey }) => isPartitionKey)) {
    if (count <= 0n) return;
    throw invalidParameter('num_partitions should only be specified with partition key field enabled');
  }
  if (count < 0n) {
    throw invalidParameter('the specified partitions should be greater than 0 if partition key is used');
  }
  if (count <= BigInt(limits.partitionsMax)) return;
  throw invalidParameter(`partition number (${count}) exceeds max configuration (${limits.partitionsMax})`);
}

/** @throws MilvusError 105, or 107 for a vector */
export function checkClusteringKey(fields: Fields): void {
  const keys = fields.filter(({ isClusteringKey }) => isClusteringKey);
  if (keys.length > 1) {
    throw illegalSchema(`there are more than one clustering key, field name = ${namesOf(keys)}`);
  }
  const [key] = keys;
  if (key === undefined) return;
  if (isVectorField(key)) {
    throw new MilvusError(`vector clustering key not allowed[field=${key.name}]`, {
      code: 107,
      inputError: true,
    });
  }
  if (!isElementType(key.dataType)) {
    throw illegalSchema(`the clustering key should be a scalar field, field name = ${key.name}`);
  }
}

/** Code 105. */
export function illegalSchema(reason: string): MilvusError {
  return new MilvusError(`${reason}: illegal collection schema`, { code: 105, inputError: true });
}

function isKeyType({ dataType }: schema_FieldSchema): boolean {
  return dataType === DataType.Int64 || dataType === DataType.VarChar;
}

function namesOf(fields: Fields): string {
  return fields.map(({ name }) => name).join(', ');
}
