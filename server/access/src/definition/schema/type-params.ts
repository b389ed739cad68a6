import {
  DataType,
  invalidParameter,
  isArray,
  isDenseVector,
  isVector,
  lastValueOf,
  missingParameter,
} from '@elanus/model';
import type { AccessLimits } from '../../limits.ts';
import { type ClientField, isElementType, isElementVector } from './client-field.ts';

/** What of a field the limits of its values depend on. */
type LimitedField = Pick<ClientField, 'name' | 'dataType' | 'elementType' | 'typeParams'>;

const MAX_LENGTH_MAX = 65_535;
const MAX_CAPACITY_MAX = 4_096;
const DIMENSION_MIN = 2;

/** @throws MilvusError 1100 when a dense vector has no usable `dim`, or a sparse one has any */
export function dimOf(field: ClientField, limits: Pick<AccessLimits, 'dimensionMax'>): number | null {
  const type = field.dataType === DataType.ArrayOfVector ? (field.elementType as DataType) : field.dataType;
  if (!isVector(type)) return null;
  const text = lastValueOf(field.typeParams, 'dim');
  if (!isDenseVector(type)) {
    if (text === undefined) return null;
    throw invalidParameter(`dim should not be specified for sparse vector field ${field.name}`);
  }
  if (text === undefined) {
    throw invalidParameter(
      `dimension is not defined in field type params of field ${field.name}, check type param \`dim\` for vector field`,
    );
  }
  const dim = integerOf(text);
  if (dim === null || dim < DIMENSION_MIN) {
    throw invalidParameter(
      `invalid dimension: ${text}. should be in range ${DIMENSION_MIN} ~ ${limits.dimensionMax}`,
    );
  }
  checkDimOfKind(field, type, dim, limits.dimensionMax);
  return dim;
}

/**
 * Bytes of a text, or of each in an array; a field of type Text needs not say it.
 * @throws MilvusError 1100 or 1101 when there is no usable `max_length`
 */
export function maxLengthOf(
  field: LimitedField,
  collection: string,
  { textBytesMax }: Pick<AccessLimits, 'textBytesMax'>,
): number | null {
  if (field.dataType === DataType.Text) {
    if (lastValueOf(field.typeParams, 'max_length') === undefined) return textBytesMax;
    return limitOf(field, collection, 'max_length', 'length', textBytesMax);
  }
  const isText = field.dataType === DataType.VarChar || field.elementType === DataType.VarChar;
  return isText ? limitOf(field, collection, 'max_length', 'length', MAX_LENGTH_MAX) : null;
}

/** @throws MilvusError 1100 or 1101 when an array has no usable `max_capacity` */
export function maxCapacityOf(field: LimitedField, collection: string): number | null {
  if (!isArray(field.dataType)) return null;
  return limitOf(field, collection, 'max_capacity', 'capacity', MAX_CAPACITY_MAX);
}

/** @throws MilvusError 1100 when an array is of anything but scalars */
export function elementTypeOf(field: ClientField): DataType | null {
  if (field.dataType === DataType.ArrayOfVector) {
    if (isElementVector(field.elementType)) return field.elementType;
    throw invalidParameter(`element type of vector array field ${field.name} should be a dense vector`);
  }
  if (field.dataType !== DataType.Array) return null;
  if (isElementType(field.elementType)) return field.elementType;
  throw invalidParameter(
    `element type of array field ${field.name} should be a scalar other than JSON and Array`,
  );
}

function checkDimOfKind(field: ClientField, type: DataType, dim: number, dimensionMax: number): void {
  const refuse = (rule: string) =>
    invalidParameter(`invalid dimension: ${dim} of field ${field.name}. ${rule}`);
  switch (type) {
    case DataType.BinaryVector:
      if (dim % 8 !== 0) throw refuse('binary vector dimension should be multiple of 8.');
      if (dim > dimensionMax * 8) {
        throw refuse(`binary vector dimension should be in range ${DIMENSION_MIN} ~ ${dimensionMax * 8}`);
      }
      return;
    case DataType.Int8Vector:
      if (dim > dimensionMax) {
        throw refuse(`int vector dimension should be in range ${DIMENSION_MIN} ~ ${dimensionMax}`);
      }
      return;
    default:
      if (dim > dimensionMax) {
        throw refuse(`float vector dimension should be in range ${DIMENSION_MIN} ~ ${dimensionMax}`);
      }
  }
}

function limitOf(field: LimitedField, collection: string, key: string, noun: string, most: number): number {
  const text = lastValueOf(field.typeParams, key);
  if (text === undefined) {
    throw missingParameter(
      `type param(${key}) should be specified for the field(${field.name}) of collection ${collection}`,
      key,
    );
  }
  const limit = integerOf(text);
  if (limit !== null && limit > 0 && limit <= most) return limit;
  throw invalidParameter(
    `the maximum ${noun} specified for the field(${field.name}) should be in (0, ${most}], but got ${text} instead`,
  );
}

/** The integer that `text` is, quotes around it allowed; `null` when it is none. */
function integerOf(text: string): number | null {
  const digits = /^"?\s*([+-]?\d{1,15})\s*"?$/.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
