/** A nominal type: the value is a `Base`, the name keeps one kind of id from standing in for another. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };

export type DatabaseId = Brand<bigint, 'DatabaseId'>;
export type CollectionId = Brand<bigint, 'CollectionId'>;
export type PartitionId = Brand<bigint, 'PartitionId'>;
export type SegmentId = Brand<bigint, 'SegmentId'>;
export type IndexId = Brand<bigint, 'IndexId'>;

/** User fields count from 100, so a field id always fits a number. */
export type FieldId = Brand<number, 'FieldId'>;

/** The name of one shard's ordered log, for example `elanus-dml_0_451v0`. */
export type ChannelName = Brand<string, 'ChannelName'>;

export const FIRST_USER_FIELD_ID = 100 as FieldId;
