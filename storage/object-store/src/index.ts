export {
  type ByteRange,
  type CallOptions,
  type GetOptions,
  type ListOptions,
  listAll,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  type PutOptions,
} from './object-store.ts';
export { isObjectStoreError, ObjectStoreError, type ObjectStoreErrorKind } from './object-store-error.ts';
