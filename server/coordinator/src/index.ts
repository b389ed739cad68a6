export { Catalog, type CatalogDamage } from './catalog/catalog.ts';
export {
  collectionsWithoutCheckpoint,
  type DamagedFileRecord,
  damagedFileRecords,
} from './catalog/damaged-file-records.ts';
export {
  type CoordinatorState,
  type Coordinators,
  openCoordinatorState,
  openCoordinators,
} from './coordinators.ts';
export { CatalogSegments } from './data/segment-catalog.ts';
export { duplicateKeyPolicy } from './root/collection-properties.ts';
export { COORDINATOR_LIMITS_DEFAULT, type CoordinatorLimits } from './root/coordinator-limits.ts';
export { IdAllocator } from './root/id-allocator.ts';
export { TimestampOracle } from './root/timestamp-oracle.ts';
