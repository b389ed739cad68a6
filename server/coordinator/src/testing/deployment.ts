import { type Clock, ManualClock } from '@elanus/runtime';
import {
  type CoordinatorState,
  type Coordinators,
  openCoordinatorState,
  openCoordinators,
} from '../coordinators.ts';
import type { CoordinatorLimits } from '../root/coordinator-limits.ts';
import { FakeIndexWorker } from './fake-index-worker.ts';
import { FakeStreamingWorker } from './fake-streaming-worker.ts';
import { UnreliableMetaStore } from './unreliable-meta-store.ts';

export interface DeploymentOptions {
  readonly store?: UnreliableMetaStore;
  readonly clock?: Clock;
  readonly limits?: Partial<CoordinatorLimits>;
  readonly memoryBytesMax?: number;
  readonly cacheBytesMax?: number;
}

/** Real coordinators over a store in memory and a fake worker. */
export interface Deployment extends Coordinators, CoordinatorState {
  readonly store: UnreliableMetaStore;
  readonly streaming: FakeStreamingWorker;
  readonly indexing: FakeIndexWorker;
}

/** Starts a deployment; given the store of an earlier one, as a restart would. The caller closes the oracle. */
export async function openDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const store = options.store ?? new UnreliableMetaStore();
  const clock = options.clock ?? new ManualClock();
  const state = await openCoordinatorState({ store, clock });
  const streaming = new FakeStreamingWorker();
  streaming.recover(state.catalog.collections());
  const indexing = new FakeIndexWorker();
  const coordinators = await openCoordinators({
    ...state,
    streaming,
    indexing,
    clock,
    limits: options.limits ?? {},
    ...(options.memoryBytesMax === undefined ? {} : { memoryBytesMax: options.memoryBytesMax }),
    ...(options.cacheBytesMax === undefined ? {} : { cacheBytesMax: options.cacheBytesMax }),
  });
  return { ...coordinators, ...state, store, streaming, indexing };
}
