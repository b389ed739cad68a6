import {
  COLLECT_LIMITS_DEFAULT,
  type CollectLimits,
  SEAL_LIMITS_DEFAULT,
  type SealLimits,
} from '@elanus/worker';
import { fraction, type Setting, wholeNumber } from './setting.ts';

const MIB = 1024 * 1024;
const SECONDS_MAX = 1_000_000_000;

/** Milvus' keys of the life of rows between memory and files: sizes in MiB, times in seconds. Sizes of our own are in bytes. */
export const FLUSH_SETTINGS = {
  segmentMib: wholeNumber('dataCoord.segment.maxSize', 1_024, { min: 1, max: 1_048_576 }),
  sealProportion: fraction('dataCoord.segment.sealProportion', 0.12),
  logBytes: wholeNumber('elanus.log.collectionBytes', SEAL_LIMITS_DEFAULT.logBytesMax, {
    min: MIB,
    max: Number.MAX_SAFE_INTEGER,
  }),
  segmentLifeSeconds: wholeNumber('dataCoord.segment.maxLife', SEAL_LIMITS_DEFAULT.lifeMsMax / 1_000, {
    min: 1,
    max: SECONDS_MAX,
  }),
  segmentIdleSeconds: wholeNumber('dataCoord.segment.maxIdleTime', SEAL_LIMITS_DEFAULT.idleMsMax / 1_000, {
    min: 1,
    max: SECONDS_MAX,
  }),
  segmentIdleMib: wholeNumber(
    'dataCoord.segment.minSizeFromIdleToSealed',
    SEAL_LIMITS_DEFAULT.idleBytesMin / MIB,
    { min: 0, max: 1_048_576 },
  ),
  sealIntervalSeconds: wholeNumber('dataCoord.segmentFlushInterval', SEAL_LIMITS_DEFAULT.intervalMs / 1_000, {
    min: 1,
    max: 3_600,
  }),
  garbageIntervalSeconds: wholeNumber('dataCoord.gc.interval', COLLECT_LIMITS_DEFAULT.intervalMs / 1_000, {
    min: 1,
    max: SECONDS_MAX,
  }),
  garbageGraceSeconds: wholeNumber('dataCoord.gc.missingTolerance', COLLECT_LIMITS_DEFAULT.graceMs / 1_000, {
    min: 600,
    max: SECONDS_MAX,
  }),
} as const;

/** When rows go to files, and when files that nothing refers to are deleted. */
export interface FlushSettings {
  /** Bytes of a large segment. */
  readonly segmentBytesMax: number;
  readonly seal: SealLimits;
  readonly collect: CollectLimits;
}

/** Reads each setting once. @throws StartError for a value that can't be */
export function readFlushSettings(read: <Value>(setting: Setting<Value>) => Value): FlushSettings {
  const {
    segmentMib,
    sealProportion,
    logBytes,
    segmentLifeSeconds,
    segmentIdleSeconds,
    segmentIdleMib,
    sealIntervalSeconds,
    garbageIntervalSeconds,
    garbageGraceSeconds,
  } = FLUSH_SETTINGS;
  const segmentBytesMax = read(segmentMib) * MIB;
  return {
    segmentBytesMax,
    seal: {
      bytesMax: segmentBytesMax * read(sealProportion),
      logBytesMax: read(logBytes),
      lifeMsMax: read(segmentLifeSeconds) * 1_000,
      idleMsMax: read(segmentIdleSeconds) * 1_000,
      idleBytesMin: read(segmentIdleMib) * MIB,
      intervalMs: read(sealIntervalSeconds) * 1_000,
    },
    collect: {
      intervalMs: read(garbageIntervalSeconds) * 1_000,
      graceMs: read(garbageGraceSeconds) * 1_000,
    },
  };
}
