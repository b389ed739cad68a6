export {
  type HeldFile,
  type ObjectFiles,
  type ObjectFilesOptions,
  openObjectFiles,
  type WantedObject,
} from './files/object-files.ts';
export {
  type ByteRange,
  type CallOptions,
  CONDITIONAL_BYTES_MAX,
  type GetOptions,
  type ListOptions,
  type LocalFiles,
  listAll,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  type PutOptions,
} from './object-store.ts';
export { isObjectStoreError, ObjectStoreError, type ObjectStoreErrorKind } from './object-store-error.ts';
export { type ObjectStoreContext, openObjectStore } from './open-object-store.ts';
export type { ObjectStoreSettings } from './settings/object-store-settings.ts';
export {
  OBJECT_STORE_KEYS,
  type ObjectStoreSettingsSources,
  readObjectStoreSettings,
} from './settings/read-object-store-settings.ts';
export { ObjectStoreSettingsError } from './settings/setting-reader.ts';
