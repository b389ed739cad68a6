import { ObjectStoreError, type ObjectStoreErrorKind } from '../object-store-error.ts';
import { kindOfStatus } from '../remote/http-error.ts';

/** Where the status alone does not tell. */
const KIND_BY_CODE: Readonly<Record<string, ObjectStoreErrorKind>> = {
  BlobAlreadyExists: 'exists',
  Md5Mismatch: 'unavailable',
  ContainerBeingDeleted: 'unavailable',
  InvalidBlockList: 'missing',
};

/** What Azure's library threw, as ours. */
export function azureError(key: string, error: unknown): ObjectStoreError {
  const { code, statusCode, message } = error as Error & { code?: string; statusCode?: number };
  const kind = KIND_BY_CODE[code ?? ''] ?? kindOfStatus(statusCode);
  return new ObjectStoreError(kind, key, `${code ?? 'Azure'}: ${message.split('\n', 1)[0]}`, error);
}
