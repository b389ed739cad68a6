import { COMPACTED_BYTES_MAX, COMPACTION_LIMITS_DEFAULT, type CompactionLimits } from '@elanus/worker';
import type { FlushSettings } from './flush-settings.ts';
import { flag, fraction, type Setting, wholeNumber } from './setting.ts';

const SECONDS_MAX = 1_000_000_000;

/** Milvus' keys of putting segments together: times in seconds, shares from 0 to 1. `elanus.` keys are our own. */
export const COMPACTION_SETTINGS = {
  isEnabled: flag('dataCoord.enableCompaction', true),
  isAutomatic: flag('dataCoord.compaction.enableAutoCompaction', true),
  intervalSeconds: wholeNumber(
    'dataCoord.compaction.mix.triggerInterval',
    COMPACTION_LIMITS_DEFAULT.intervalMs / 1_000,
    { min: 1, max: SECONDS_MAX },
  ),
  smallShare: fraction('dataCoord.segment.smallProportion', COMPACTION_LIMITS_DEFAULT.smallShare),
  deletedShare: fraction(
    'dataCoord.compaction.single.ratio.threshold',
    COMPACTION_LIMITS_DEFAULT.deletedShareMin,
  ),
  segmentsMin: wholeNumber('elanus.compaction.segmentsMin', COMPACTION_LIMITS_DEFAULT.segmentsMin, {
    min: 2,
    max: 1_000_000,
  }),
  graceSeconds: wholeNumber('dataCoord.gc.dropTolerance', COMPACTION_LIMITS_DEFAULT.graceMs / 1_000, {
    min: 0,
    max: SECONDS_MAX,
  }),
} as const;

/** Reads each setting once. @throws StartError for a value that can't be */
export function readCompactionSettings(
  read: <Value>(setting: Setting<Value>) => Value,
  { segmentBytesMax }: Pick<FlushSettings, 'segmentBytesMax'>,
): CompactionLimits {
  const settings = COMPACTION_SETTINGS;
  const isEnabled = read(settings.isEnabled);
  const isAutomatic = read(settings.isAutomatic);
  return {
    isEnabled,
    isAutomatic,
    intervalMs: read(settings.intervalSeconds) * 1_000,
    bytesMax: Math.min(segmentBytesMax, COMPACTED_BYTES_MAX),
    smallShare: read(settings.smallShare),
    deletedShareMin: read(settings.deletedShare),
    segmentsMin: read(settings.segmentsMin),
    graceMs: read(settings.graceSeconds) * 1_000,
  };
}
