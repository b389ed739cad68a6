import type { MetaStore } from '@elanus/meta-store';
import type { IndexWorker, StreamingWorker } from '@elanus/rpc';
import { type Clock, type Logger, silentLogger } from '@elanus/runtime';
import { Catalog } from './catalog/catalog.ts';
import { CatalogDataCoordinator } from './data/data-coordinator.ts';
import { CatalogSegments } from './data/segment-catalog.ts';
import { CatalogExportCoordinator } from './export/export-coordinator.ts';
import { CatalogImportCoordinator } from './import/import-coordinator.ts';
import { CatalogIndexCoordinator } from './index/index-coordinator.ts';
import { CatalogQueryCoordinator } from './query/query-coordinator.ts';
import { COORDINATOR_LIMITS_DEFAULT, type CoordinatorLimits } from './root/coordinator-limits.ts';
import { IdAllocator } from './root/id-allocator.ts';
import { CatalogRootCoordinator } from './root/root-coordinator.ts';
import { TimestampOracle } from './root/timestamp-oracle.ts';

/** What is open before there are coordinators: the worker needs time and the collections to recover. */
export interface CoordinatorState {
  readonly catalog: Catalog;
  readonly oracle: TimestampOracle;
  readonly ids: IdAllocator;
  /** For the workers. */
  readonly segments: CatalogSegments;
}

/** The roles over one catalog. */
export interface Coordinators {
  readonly root: CatalogRootCoordinator;
  readonly query: CatalogQueryCoordinator;
  readonly data: CatalogDataCoordinator;
  readonly index: CatalogIndexCoordinator;
  readonly imports: CatalogImportCoordinator;
  readonly exports: CatalogExportCoordinator;
}

/**
 * Reads what earlier runs left in `store`. The caller recovers the worker with `catalog.collections()`, drops
 * channels only where `catalog.ownsChannel` says no, lifts the oracle above the newest timestamp it found, and closes the oracle before the store.
 * @throws Error when a newer build has written the catalog
 */
export async function openCoordinatorState(options: {
  readonly store: MetaStore;
  readonly clock: Clock;
  readonly logger?: Logger;
}): Promise<CoordinatorState> {
  const catalog = await Catalog.open(options.store, options);
  const ids = await IdAllocator.open(options);
  await catalog.begin(() => ids.allocate(1));
  const oracle = await TimestampOracle.open(options);
  return { catalog, oracle, ids, segments: new CatalogSegments({ catalog, ids }) };
}

/** Makes the roles; a new catalog gets its database `default`. */
export async function openCoordinators(
  options: CoordinatorState & {
    readonly streaming: StreamingWorker;
    readonly indexing: IndexWorker;
    readonly clock: Clock;
    readonly limits?: Partial<CoordinatorLimits>;
    /** What the files of loaded collections may take together; by default anything. */
    readonly memoryBytesMax?: number;
    /** What there may be of copies of a bucket's files; by default anything, as in a directory, which needs none. */
    readonly cacheBytesMax?: number;
    readonly logger?: Logger;
  },
): Promise<Coordinators> {
  const { catalog, oracle: timestamps, ids, segments, streaming, indexing, logger = silentLogger } = options;
  const limits = { ...COORDINATOR_LIMITS_DEFAULT, ...options.limits };
  const root = await CatalogRootCoordinator.open({
    catalog,
    timestamps,
    ids,
    streaming,
    indexing,
    limits,
    logger,
  });
  const query = new CatalogQueryCoordinator({
    catalog,
    memoryBytesMax: options.memoryBytesMax ?? Number.POSITIVE_INFINITY,
    cacheBytesMax: options.cacheBytesMax ?? Number.POSITIVE_INFINITY,
  });
  const data = new CatalogDataCoordinator({ catalog, streaming, timestamps, segments });
  const index = new CatalogIndexCoordinator({ catalog, timestamps, ids, data, indexing });
  await index.resume();
  const imports = new CatalogImportCoordinator({ catalog, ids, clock: options.clock });
  const exports = new CatalogExportCoordinator({ catalog, ids, clock: options.clock });
  return { root, query, data, index, imports, exports };
}
