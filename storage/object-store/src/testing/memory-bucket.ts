import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Clock } from '@elanus/runtime';
import { compareKeys } from '../object-key.ts';
import type { ByteRange, ObjectInfo, ObjectPage } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import type {
  AttemptOptions,
  Bucket,
  BucketLimits,
  BucketUpload,
  FetchedObject,
  FetchOptions,
  MarkedObject,
  PageOptions,
  WholeWriteOptions,
  WriteOptions,
} from '../remote/bucket.ts';

interface Stored {
  readonly info: ObjectInfo;
  readonly mark: string;
  readonly crc32: number | null;
  readonly bytes: Uint8Array;
}

export interface MemoryBucketOptions {
  readonly partBytes?: number;
  /** Dates the objects. */
  readonly clock?: Pick<Clock, 'nowMs'>;
}

/** A bucket for tests, as S3 behaves: conditional writes are exact, uploads in parts show when they are complete. */
export class MemoryBucket implements Bucket {
  readonly place = 'memory';
  readonly limits: BucketLimits;
  /** How often an object became visible, by key. */
  readonly publications = new Map<string, number>();
  readonly #objects = new Map<string, Stored>();
  readonly #clock: Pick<Clock, 'nowMs'>;
  #versions = 0;
  #uploads = 0;

  constructor({ partBytes = 1_000, clock = { nowMs: () => 0 } }: MemoryBucketOptions = {}) {
    this.limits = { partBytes, partsMax: 50, partsAtOnce: 3, deletesMax: 10 };
    this.#clock = clock;
  }

  /** Uploads begun and neither completed nor aborted. */
  get openUploads(): number {
    return this.#uploads;
  }

  /** Inverts a bit of an object behind everybody's back. */
  flipBit(key: string, bit: number): void {
    this.#found(key).bytes[bit >> 3]! ^= 1 << (bit & 7);
  }

  async prepare(): Promise<void> {}

  async put(key: string, bytes: Uint8Array, options: WholeWriteOptions): Promise<ObjectInfo> {
    await setImmediate();
    if (crc32(bytes) !== options.crc32) throw new ObjectStoreError('unavailable', key, 'damaged on its way');
    if (options.condition === 'absent' && this.#objects.has(key)) {
      throw new ObjectStoreError('exists', key, 'it is there already');
    }
    return this.#publish(key, bytes.slice(), options, options.crc32);
  }

  async get(key: string, { range, allocate }: FetchOptions): Promise<FetchedObject> {
    await setImmediate();
    const stored = this.#found(key);
    const bytes = slice(key, stored.bytes, range);
    const target = allocate(bytes.length);
    target.set(bytes);
    return { bytes: target, crc32: range === null ? stored.crc32 : null };
  }

  async head(key: string): Promise<MarkedObject> {
    await setImmediate();
    return this.#found(key);
  }

  async list({ prefix, cursor, limit }: PageOptions): Promise<ObjectPage> {
    await setImmediate();
    const matching = [...this.#objects.values()]
      .map(({ info }) => info)
      .filter(({ key }) => key.startsWith(prefix) && (cursor === null || compareKeys(key, cursor) > 0))
      .sort((a, b) => compareKeys(a.key, b.key));
    const objects = matching.slice(0, limit);
    return { objects, next: matching.length > limit ? objects.at(-1)!.key : null };
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    await setImmediate();
    for (const key of keys) this.#objects.delete(key);
  }

  async beginUpload(key: string, options: WriteOptions): Promise<BucketUpload> {
    await setImmediate();
    this.#uploads += 1;
    const parts = new Map<number, Uint8Array>();
    let isOpen = true;
    const requireOpen = () => {
      if (!isOpen) throw new ObjectStoreError('missing', key, 'no such upload');
    };
    const end = () => {
      if (isOpen) this.#uploads -= 1;
      isOpen = false;
    };
    return {
      putPart: async (index, bytes) => {
        await setImmediate();
        requireOpen();
        parts.set(index, bytes.slice());
      },
      complete: async () => {
        await setImmediate();
        requireOpen();
        const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
        const info = this.#publish(key, new Uint8Array(Buffer.concat(inOrder)), options, null);
        end();
        return info;
      },
      abort: async (_options: AttemptOptions) => {
        await setImmediate();
        end();
      },
    };
  }

  async close(): Promise<void> {}

  #publish(key: string, bytes: Uint8Array, { mark }: WriteOptions, sum: number | null): ObjectInfo {
    this.#versions += 1;
    const info = {
      key,
      sizeBytes: bytes.length,
      etag: `v${this.#versions}`,
      modifiedMs: this.#clock.nowMs(),
    };
    this.#objects.set(key, { info, mark, crc32: sum, bytes });
    this.publications.set(key, (this.publications.get(key) ?? 0) + 1);
    return info;
  }

  #found(key: string): Stored {
    const stored = this.#objects.get(key);
    if (stored === undefined) throw new ObjectStoreError('missing', key, 'there is no such object');
    return stored;
  }
}

function slice(key: string, bytes: Uint8Array, range: ByteRange | null): Uint8Array {
  if (range === null) return bytes;
  const { offset, length } = range;
  if (offset + length > bytes.length) throw new ObjectStoreError('damaged', key, 'it ends before the range');
  return bytes.subarray(offset, offset + length);
}
