import { type CollectionId, collectionNotFound, MilvusError } from '@elanus/model';

/** A collection that nobody has the id of any more. */
export function collectionNotFoundById(id: CollectionId): MilvusError {
  const { legacyCode } = collectionNotFound('', '');
  return new MilvusError(`collection not found[collection=${id}]`, {
    code: 100,
    legacyCode,
    inputError: true,
  });
}

/** Whether an error says that a database or a collection does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof MilvusError && (error.code === 100 || error.code === 800);
}
