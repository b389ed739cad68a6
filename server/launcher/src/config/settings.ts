import { type AccessLimits, DEFAULT_LIMITS } from '@elanus/access';
import { COORDINATOR_LIMITS_DEFAULT, type CoordinatorLimits } from '@elanus/coordinator';
import type { CompactionLimits, DamagedLogPolicy } from '@elanus/worker';
import { LOG_LEVELS, type LogLevel } from '../log-level.ts';
import { COMPACTION_SETTINGS, readCompactionSettings } from './compaction-settings.ts';
import { FLUSH_SETTINGS, type FlushSettings, readFlushSettings } from './flush-settings.ts';
import { directoryPath, oneOf, type Setting, seconds, wholeNumber } from './setting.ts';

/** What the configuration decides besides addresses and directories. */
export interface Settings {
  readonly logLevel: LogLevel;
  readonly access: AccessLimits;
  readonly coordinator: CoordinatorLimits;
  /** Index builds at once. */
  readonly indexBuildsMax: number;
  /** Memory of the process beyond which mapped rows give way, in bytes; 0: `memoryShareMax` of the machine's. */
  readonly memoryBytesMax: number;
  /** 0 to 1. */
  readonly memoryShareMax: number;
  /** Bytes of a bucket's files that are kept on this machine's disk. */
  readonly objectCacheBytes: number;
  readonly flush: FlushSettings;
  /** Whose files imports may read; `null`: none but those in the object store. */
  readonly importDirectory: string | null;
  readonly compaction: CompactionLimits;
  /** What becomes of a collection when records of its log are damaged. */
  readonly damagedLog: DamagedLogPolicy;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** What one ArrayBuffer of a message may safely be. */
const MESSAGE_BYTES_MAX = 2048 * MIB - 1;

/** Milvus' keys that have a meaning here, with what Milvus takes when they are not set. `elanus.` keys are our own. */
export const SETTINGS = {
  port: wholeNumber('proxy.port', 19_530, { min: 0, max: 65_535 }),
  logLevel: oneOf('log.level', 'info', LOG_LEVELS),
  receiveBytesMax: wholeNumber('proxy.grpc.serverMaxRecvSize', DEFAULT_LIMITS.receiveBytesMax, {
    min: 1024,
    max: MESSAGE_BYTES_MAX,
  }),
  sendBytesMax: wholeNumber('proxy.grpc.serverMaxSendSize', DEFAULT_LIMITS.sendBytesMax, {
    min: 1024,
    max: MESSAGE_BYTES_MAX,
  }),
  fieldsMax: wholeNumber('proxy.maxFieldNum', DEFAULT_LIMITS.fieldsMax, { min: 1, max: 1_024 }),
  vectorFieldsMax: wholeNumber('proxy.maxVectorFieldNum', DEFAULT_LIMITS.vectorFieldsMax, {
    min: 1,
    max: 64,
  }),
  dimensionMax: wholeNumber('proxy.maxDimension', DEFAULT_LIMITS.dimensionMax, { min: 2, max: 262_144 }),
  shardsMax: wholeNumber('proxy.maxShardNum', DEFAULT_LIMITS.shardsMax, { min: 1, max: 256 }),
  nameBytesMax: wholeNumber('proxy.maxNameLength', DEFAULT_LIMITS.nameBytesMax, { min: 1, max: 1_024 }),
  textBytesMax: wholeNumber('proxy.maxTextLength', DEFAULT_LIMITS.textBytesMax, {
    min: 1,
    max: MESSAGE_BYTES_MAX,
  }),
  topKMax: wholeNumber('quotaAndLimits.limits.topK', DEFAULT_LIMITS.topKMax, { min: 1, max: 1_048_576 }),
  queriesMax: wholeNumber('quotaAndLimits.limits.nq', DEFAULT_LIMITS.queriesMax, { min: 1, max: 1_048_576 }),
  groupSizeMax: wholeNumber('quotaAndLimits.limits.maxGroupSize', DEFAULT_LIMITS.groupSizeMax, {
    min: 1,
    max: 16_384,
  }),
  partitionsMax: wholeNumber('rootCoord.maxPartitionNum', DEFAULT_LIMITS.partitionsMax, {
    min: 1,
    max: 1_048_576,
  }),
  partitionKeyPartitions: wholeNumber(
    'elanus.partitionKeyPartitionNum',
    DEFAULT_LIMITS.partitionKeyPartitions,
    {
      min: 1,
      max: 1_048_576,
    },
  ),
  gracefulTimeMs: wholeNumber('common.gracefulTime', DEFAULT_LIMITS.gracefulTimeMs, {
    min: 0,
    max: 86_400_000,
  }),
  slowQueryMs: seconds('proxy.slowQuerySpanInSeconds', DEFAULT_LIMITS.slowQueryMs),
  restRequestMs: wholeNumber('proxy.http.requestTimeoutMs', DEFAULT_LIMITS.restRequestMs, {
    min: 1,
    max: 86_400_000,
  }),
  restAllowsInt64: oneOf('proxy.http.acceptTypeAllowInt64', 'true', ['true', 'false']),
  databasesMax: wholeNumber('rootCoord.maxDatabaseNum', COORDINATOR_LIMITS_DEFAULT.databasesMax, {
    min: 1,
    max: 1_048_576,
  }),
  collectionsMax: wholeNumber(
    'quotaAndLimits.limits.maxCollectionNumPerDB',
    COORDINATOR_LIMITS_DEFAULT.collectionsMax,
    {
      min: 1,
      max: 1_048_576,
    },
  ),
  indexBuildsMax: wholeNumber('indexNode.scheduler.buildParallel', 1, { min: 1, max: 64 }),
  memoryBytesMax: wholeNumber('elanus.memoryLimit', 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
  memoryPercentMax: wholeNumber('queryCoord.overloadedMemoryThresholdPercentage', 90, { min: 1, max: 100 }),
  objectCacheBytes: wholeNumber('elanus.objectCacheBytes', 64 * GIB, {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  }),
  capacityMax: wholeNumber('rootCoord.maxGeneralCapacity', COORDINATOR_LIMITS_DEFAULT.capacityMax, {
    min: 1,
    max: 1_073_741_824,
  }),
  importDirectory: directoryPath('elanus.import.directory'),
  damagedLog: oneOf<DamagedLogPolicy>('elanus.log.onDamage', 'serve', ['serve', 'refuse']),
  ...FLUSH_SETTINGS,
  ...COMPACTION_SETTINGS,
} as const;

/** Reads each setting once. @throws StartError for a value that can't be */
export function readSettings(read: <Value>(setting: Setting<Value>) => Value): Settings {
  const partitionsMax = read(SETTINGS.partitionsMax);
  const flush = readFlushSettings(read);
  return {
    logLevel: read(SETTINGS.logLevel),
    access: {
      receiveBytesMax: read(SETTINGS.receiveBytesMax),
      sendBytesMax: read(SETTINGS.sendBytesMax),
      fieldsMax: read(SETTINGS.fieldsMax),
      vectorFieldsMax: read(SETTINGS.vectorFieldsMax),
      dimensionMax: read(SETTINGS.dimensionMax),
      shardsMax: read(SETTINGS.shardsMax),
      nameBytesMax: read(SETTINGS.nameBytesMax),
      textBytesMax: read(SETTINGS.textBytesMax),
      topKMax: read(SETTINGS.topKMax),
      queriesMax: read(SETTINGS.queriesMax),
      groupSizeMax: read(SETTINGS.groupSizeMax),
      partitionsMax,
      partitionKeyPartitions: read(SETTINGS.partitionKeyPartitions),
      gracefulTimeMs: read(SETTINGS.gracefulTimeMs),
      slowQueryMs: read(SETTINGS.slowQueryMs),
      restRequestMs: read(SETTINGS.restRequestMs),
      restInt64: read(SETTINGS.restAllowsInt64) === 'true' ? 'number' : 'string',
    },
    coordinator: {
      partitionsMax,
      databasesMax: read(SETTINGS.databasesMax),
      collectionsMax: read(SETTINGS.collectionsMax),
      capacityMax: read(SETTINGS.capacityMax),
    },
    indexBuildsMax: read(SETTINGS.indexBuildsMax),
    memoryBytesMax: read(SETTINGS.memoryBytesMax),
    memoryShareMax: read(SETTINGS.memoryPercentMax) / 100,
    objectCacheBytes: read(SETTINGS.objectCacheBytes),
    importDirectory: read(SETTINGS.importDirectory),
    flush,
    compaction: readCompactionSettings(read, flush),
    damagedLog: read(SETTINGS.damagedLog),
  };
}
