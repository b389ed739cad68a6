import type { Brand } from './ids.ts';

/**
 * A hybrid timestamp: unix milliseconds in the upper 46 bits, a counter in the lower 18.
 * Orders every write, definition and read of one deployment (Milvus calls it TSO).
 */
export type Timestamp = Brand<bigint, 'Timestamp'>;

const LOGICAL_BITS = 18n;

/** How many timestamps share one millisecond. */
export const LOGICAL_COUNT = 1n << LOGICAL_BITS;

/** Before every write. */
export const TIMESTAMP_MIN = 0n as Timestamp;

/** After every write; as a row's deletion time it means "alive". Fits a signed 64-bit column. */
export const TIMESTAMP_MAX = 0x7fff_ffff_ffff_ffffn as Timestamp;

export function composeTimestamp(physicalMs: number, logical = 0n): Timestamp {
  return ((BigInt(Math.trunc(physicalMs)) << LOGICAL_BITS) | logical) as Timestamp;
}

/** The unix milliseconds of `timestamp`. */
export function physicalMs(timestamp: Timestamp): number {
  return Number(timestamp >> LOGICAL_BITS);
}
