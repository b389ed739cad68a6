import { type Coordinators, openCoordinatorState, openCoordinators } from '@elanus/coordinator';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import { openLmdbMetaStore } from '@elanus/meta-store';
import { serviceNotReady } from '@elanus/model';
import type { QueryWorker, StreamingWorker } from '@elanus/rpc';
import { type Clock, type Logger, type Metrics, NodeDisk, systemRandom } from '@elanus/runtime';
import type { Settings } from './config/settings.ts';
import type { DataDirectory } from './data-directory.ts';

export interface StandaloneOptions {
  readonly directory: DataDirectory;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How much of the log is read again, 0 to 1. */
  readonly onRecovery?: ((done: number) => void) | undefined;
}

/** Every role of one machine, in this process. */
export interface StandaloneRoles extends Coordinators, AsyncDisposable {
  readonly streaming: StreamingWorker;
  readonly reader: QueryWorker;
}

/** Opens the stores in the data directory, recovers the worker from them, and puts the coordinators above. */
export async function openStandalone(options: StandaloneOptions): Promise<StandaloneRoles> {
  const { directory, settings, clock, metrics } = options;
  const role = (name: string) => options.logger.child({ role: name });

  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(
    await openLmdbMetaStore({ directory: directory.pathOf('catalog'), logger: role('meta-store') }),
    (metaStore) => metaStore.close(),
  );
  const log = opened.adopt(
    await openMessageLog({
      disk: new NodeDisk(),
      directory: directory.pathOf('log'),
      clock,
      random: systemRandom,
      logger: role('message-log'),
      metrics,
    }),
    (messageLog) => messageLog.close(),
  );
  const state = await openCoordinatorState({ store, clock, logger: role('coordinator') });
  opened.adopt(state.oracle, (oracle) => oracle.close());
  const { streaming, reader } = workerToCome(log);
  const coordinators = await openCoordinators({
    ...state,
    streaming,
    limits: settings.coordinator,
    logger: role('coordinator'),
  });
  const owned = opened.move();
  return { ...coordinators, streaming, reader, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Until the worker is there: definitions work, rows can't be written or read. */
function workerToCome(_log: MessageLog): { streaming: StreamingWorker; reader: QueryWorker } {
  const notReady = () => Promise.reject(serviceNotReady('worker'));
  const nothing = () => Promise.resolve();
  const streaming: StreamingWorker = {
    openCollection: nothing,
    updateCollection: nothing,
    dropCollection: nothing,
    dropPartition: nothing,
    write: notReady,
    countRows: () => Promise.resolve(new Map()),
  };
  return { streaming, reader: { search: notReady, query: notReady, count: notReady, fetch: notReady } };
}
