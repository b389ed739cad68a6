import {
  type CollectionInfo,
  ConsistencyLevel,
  composeTimestamp,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import type { AccessDependencies } from '../handler.ts';

/** The consistency trio of a Search or a Query. */
export interface ConsistencyRequest {
  readonly consistencyLevel: number;
  readonly guaranteeTimestamp: bigint;
  readonly useDefaultConsistency: boolean;
}

/** Values of `guarantee_timestamp` that name a level instead of a time. */
const LEGACY = { strong: 0n, eventually: 1n, bounded: 2n } as const;

/** The moment that the pages of an iterator look at; `null` on its first page, which finds it. */
export function pinnedTime({
  guaranteeTimestamp,
}: Pick<ConsistencyRequest, 'guaranteeTimestamp'>): Timestamp | null {
  return guaranteeTimestamp > LEGACY.bounded ? (guaranteeTimestamp as Timestamp) : null;
}

/**
 * The time up to which a read must have seen every write. Strong is a fresh timestamp; Bounded lags by
 * `common.gracefulTime`; Eventually is the beginning of time; Session and Customized are the caller's own.
 */
export async function guaranteeOf(
  { root, clock, limits }: Pick<AccessDependencies, 'root' | 'clock' | 'limits'>,
  collection: CollectionInfo,
  request: ConsistencyRequest,
): Promise<Timestamp> {
  const level = request.useDefaultConsistency ? collection.consistencyLevel : request.consistencyLevel;
  const bounded = () => composeTimestamp(Math.max(0, clock.nowMs() - limits.gracefulTimeMs));
  switch (level) {
    case ConsistencyLevel.Bounded:
      return bounded();
    case ConsistencyLevel.Eventually:
      return TIMESTAMP_MIN;
    case ConsistencyLevel.Strong:
      // Under the collection's own level the timestamp is the client's last write, not a level by another name.
      if (request.useDefaultConsistency) return await root.allocateTimestamp();
      break;
    default:
  }
  switch (request.guaranteeTimestamp) {
    case LEGACY.strong:
      return await root.allocateTimestamp();
    case LEGACY.eventually:
      return TIMESTAMP_MIN;
    case LEGACY.bounded:
      return bounded();
    default:
      return request.guaranteeTimestamp as Timestamp;
  }
}
