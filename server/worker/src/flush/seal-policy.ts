/** When rows in memory go to files without being asked to. */
export interface SealLimits {
  /** Bytes of the rows of one shard. */
  readonly bytesMax: number;
  /** Bytes of the log, deletions included, that a start would have to read again. */
  readonly logBytesMax: number;
  /** Milliseconds that a row is in no file. */
  readonly lifeMsMax: number;
  /** Milliseconds without a write, after which `idleBytesMin` are enough. */
  readonly idleMsMax: number;
  readonly idleBytesMin: number;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
}

const MIB = 1024 * 1024;

/** What Milvus takes when nothing is configured; the bytes of the log are our own. */
export const SEAL_LIMITS_DEFAULT: SealLimits = {
  bytesMax: 0.12 * 1024 * MIB,
  logBytesMax: 1024 * MIB,
  lifeMsMax: 86_400_000,
  idleMsMax: 600_000,
  idleBytesMin: 16 * MIB,
  intervalMs: 2_000,
};

/** The rows of a collection that are in no file. */
export interface UnsealedRows {
  /** Of the shard that has most. */
  readonly bytes: number;
  readonly logBytes: number;
  /** Unix milliseconds of the oldest and of the newest write. */
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** Why these rows should go to files now; `null`: they need not. */
export function reasonToSeal(
  { bytes, logBytes, oldestMs, newestMs }: UnsealedRows,
  limits: SealLimits,
  nowMs: number,
): 'size' | 'log' | 'age' | 'rest' | null {
  if (bytes >= limits.bytesMax) return 'size';
  if (logBytes >= limits.logBytesMax) return 'log';
  if (nowMs - oldestMs >= limits.lifeMsMax) return 'age';
  return bytes >= limits.idleBytesMin && nowMs - newestMs >= limits.idleMsMax ? 'rest' : null;
}
