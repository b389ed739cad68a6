import type { ByteRange, ObjectInfo, ObjectPage } from '../object-store.ts';

/** Every call can be ended; a bucket must then settle soon. */
export interface AttemptOptions {
  readonly signal: AbortSignal;
}

export interface WriteOptions extends AttemptOptions {
  /** Kept with the object, so that its writer knows it again. */
  readonly mark: string;
}

export interface WholeWriteOptions extends WriteOptions {
  readonly condition: 'absent' | null;
  /** Of the bytes. */
  readonly crc32: number;
}

/** An object with what its writer left beside it. */
export interface MarkedObject {
  readonly info: ObjectInfo;
  readonly mark: string | null;
}

/** A body as it came, and the CRC-32 that its writer left beside it; `null` when there is none, or for a part of it. */
export interface FetchedObject {
  readonly bytes: Uint8Array;
  readonly crc32: number | null;
}

/**
 * A bucket of some service, below a prefix: what one request can do. Each call is one attempt with no retry of its
 * own, rejects with `ObjectStoreError`, and is told apart by its kind: `unavailable` when it is unknown whether the
 * service has done it. `RemoteStore` makes an `ObjectStore` of it.
 */
export interface Bucket {
  readonly place: string;
  readonly limits: BucketLimits;
  /** Makes the bucket when it is not there. */
  prepare(options: AttemptOptions): Promise<void>;
  /** Readers see all of it or nothing. The service compares the bytes with a checksum before it keeps them. */
  put(
    key: string,
    bytes: Uint8Array,
    options: WriteOptions & { readonly crc32: number },
  ): Promise<ObjectInfo>;
  get(key: string, options: FetchOptions): Promise<FetchedObject>;
  head(key: string, options: AttemptOptions): Promise<MarkedObject>;
  list(options: PageOptions): Promise<ObjectPage>;
  /** At most `limits.deletesMax` keys, missing ones among them. */
  deleteMany(keys: readonly string[], options: AttemptOptions): Promise<void>;
  /** Begins an object of several parts that nobody sees before it is complete. */
  beginUpload(key: string, options: WriteOptions): Promise<BucketUpload>;
  close(): Promise<void>;
}

export interface BucketLimits {
  /** Of every part but the last. */
  readonly partBytes: number;
  readonly partsMax: number;
  /** Parts that may be under way at once; 1 when they have to come in order. */
  readonly partsAtOnce: number;
  readonly deletesMax: number;
}

export interface FetchOptions extends AttemptOptions {
  readonly range: ByteRange | null;
  readonly allocate: (length: number) => Uint8Array;
}

export interface PageOptions extends AttemptOptions {
  readonly prefix: string;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface BucketUpload {
  /** Sends a part; parts count from 0. The same part may be sent again. */
  putPart(
    index: number,
    bytes: Uint8Array,
    options: AttemptOptions & { readonly isLast: boolean },
  ): Promise<void>;
  /** Shows the object. May be called again when its outcome is unknown. */
  complete(options: AttemptOptions): Promise<ObjectInfo>;
  /** Gives back what the parts take. Idempotent. */
  abort(options: AttemptOptions): Promise<void>;
}
