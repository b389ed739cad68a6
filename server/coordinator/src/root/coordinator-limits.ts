/** What the coordinators refuse to exceed; the launcher fills it from the configuration. */
export interface CoordinatorLimits {
  /** Per collection, `_default` included (`rootCoord.maxPartitionNum`). */
  readonly partitionsMax: number;
  /** Besides `default` (`rootCoord.maxDatabaseNum`). */
  readonly databasesMax: number;
  /** Per database, where its properties say no other number (`quotaAndLimits.limits.maxCollectionNumPerDB`). */
  readonly collectionsMax: number;
  /** Sum over all collections of partitions times shards (`rootCoord.maxGeneralCapacity`). */
  readonly capacityMax: number;
}

export const COORDINATOR_LIMITS_DEFAULT: CoordinatorLimits = {
  partitionsMax: 1_024,
  databasesMax: 64,
  collectionsMax: 65_536,
  capacityMax: 65_536,
};
