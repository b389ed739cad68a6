import { type MilvusError, unexpectedParameter } from '@elanus/model';

/** A definition that no index can be built from: code 1100, the reason first. */
export function invalidIndexParameter(reason: string): MilvusError {
  return unexpectedParameter('valid index params', 'invalid index params', reason);
}

/** An index type that is unknown here, whatever the field. */
export function invalidIndexType(type: string): MilvusError {
  return unexpectedParameter('valid index', `invalid index type: ${type}`);
}
