/** Limits of what a request may ask for, each with the Milvus key that changes it. */
export interface AccessLimits {
  /** `proxy.grpc.serverMaxRecvSize`, bytes. */
  readonly receiveBytesMax: number;
  /** `proxy.grpc.serverMaxSendSize`, bytes. */
  readonly sendBytesMax: number;
  /** `proxy.maxFieldNum`. */
  readonly fieldsMax: number;
  /** `proxy.maxVectorFieldNum`. */
  readonly vectorFieldsMax: number;
  /** `proxy.maxDimension`; binary vectors may have eight times as many. */
  readonly dimensionMax: number;
  /** `proxy.maxShardNum`. */
  readonly shardsMax: number;
  /** `proxy.maxNameLength`, UTF-8 bytes. */
  readonly nameBytesMax: number;
  /** `proxy.maxTextLength`, UTF-8 bytes of a value of type Text. */
  readonly textBytesMax: number;
  /** `quotaAndLimits.limits.topK`, also for offset + limit. */
  readonly topKMax: number;
  /** `quotaAndLimits.limits.nq`. */
  readonly queriesMax: number;
  /** `quotaAndLimits.limits.maxGroupSize`: rows of a group in a grouped search. */
  readonly groupSizeMax: number;
  /** `rootCoord.maxPartitionNum`. */
  readonly partitionsMax: number;
  /** Partitions of a collection with a partition key whose creator names no number. */
  readonly partitionKeyPartitions: number;
  /** `common.gracefulTime`: how far a Bounded read may lag, milliseconds. */
  readonly gracefulTimeMs: number;
  /** `proxy.slowQuerySpanInSeconds`: reads that take longer are logged, milliseconds. */
  readonly slowQueryMs: number;
  /** `proxy.http.requestTimeoutMs`: how long a request over REST may take that does not say, milliseconds. */
  readonly restRequestMs: number;
  /** `proxy.http.acceptTypeAllowInt64`: how REST writes int64 for who does not say. */
  readonly restInt64: 'number' | 'string';
}

export const DEFAULT_LIMITS: AccessLimits = {
  receiveBytesMax: 64 * 1024 * 1024,
  sendBytesMax: 256 * 1024 * 1024,
  fieldsMax: 64,
  vectorFieldsMax: 10,
  dimensionMax: 32_768,
  shardsMax: 16,
  nameBytesMax: 255,
  textBytesMax: 2 * 1024 * 1024,
  topKMax: 16_384,
  queriesMax: 16_384,
  groupSizeMax: 10,
  partitionsMax: 1_024,
  partitionKeyPartitions: 64,
  gracefulTimeMs: 5_000,
  slowQueryMs: 5_000,
  restRequestMs: 30_000,
  restInt64: 'number',
};
