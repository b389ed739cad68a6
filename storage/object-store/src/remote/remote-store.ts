import { type Clock, type Random, randomHex } from '@elanus/runtime';
import { inParts, type Part } from '../body-parts.ts';
import { checkKey } from '../object-key.ts';
import {
  type CallOptions,
  CONDITIONAL_BYTES_MAX,
  type GetOptions,
  type ListOptions,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  PAGE_OBJECTS_MAX,
  type PutOptions,
} from '../object-store.ts';
import { conditionalTooLarge, isObjectStoreError, ObjectStoreError } from '../object-store-error.ts';
import type { AttemptOptions, Bucket, BucketUpload } from './bucket.ts';
import { crc32Of } from './checksums.ts';
import { type Deadline, RETRY_POLICY, type RetryContext, type RetryPolicy, withRetries } from './retry.ts';

export interface RemoteStoreOptions {
  readonly bucket: Bucket;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy?: Partial<RetryPolicy>;
}

/** Makes an object store of a bucket, and the bucket itself when it is not there. The store closes the bucket. */
export async function openRemoteStore(options: RemoteStoreOptions): Promise<ObjectStore> {
  const { bucket, clock, random } = options;
  const context = { clock, random, policy: { ...RETRY_POLICY, ...options.policy } };
  try {
    await withRetries(context, { key: '' }, (signal) => bucket.prepare({ signal }));
    return new RemoteStore(bucket, context);
  } catch (error) {
    await bucket.close();
    throw error;
  }
}

/**
 * What all buckets need over single requests: retries, deadlines, large bodies in parts, and the truth about writes
 * whose answer was lost. Each write carries a mark of its own, so that a refusal ("it is there already") after a lost
 * answer is known for what it is: our own success.
 */
class RemoteStore implements ObjectStore {
  readonly place: string;
  readonly files = null;
  readonly #bucket: Bucket;
  readonly #context: RetryContext;

  constructor(bucket: Bucket, context: RetryContext) {
    this.place = bucket.place;
    this.#bucket = bucket;
    this.#context = context;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    const isConditional = options.condition !== undefined;
    const partBytes = isConditional ? CONDITIONAL_BYTES_MAX : this.#bucket.limits.partBytes;
    await using parts = inParts(body, { partBytes, lifetime: 'good' });
    const first = await parts.next();
    if (first.isLast) return await this.#putWhole(key, first.bytes, options);
    if (isConditional) throw conditionalTooLarge(key);
    return await this.#putParts(key, first, parts, options.signal);
  }

  async get(key: string, { range, allocate, signal }: GetOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    const memory = allocate ?? ((length: number) => new Uint8Array(length));
    if (range?.length === 0) return memory(0);
    // Memory that the caller gave for the first attempt serves the others, too.
    let given: Uint8Array | null = null;
    const fetched = await this.#retried({ key, signal }, (attempt, deadline) => {
      const allocate = (length: number) => {
        deadline.extend(length);
        if (given?.length !== length) given = memory(length);
        return given;
      };
      return this.#bucket.get(key, { ...attempt, range: range ?? null, allocate });
    });
    if (fetched.crc32 !== null && fetched.crc32 !== (await crc32Of(fetched.bytes))) {
      throw new ObjectStoreError('damaged', key, 'the bytes are not those that were written');
    }
    return fetched.bytes;
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    return (await this.#retried({ key, signal }, (attempt) => this.#bucket.head(key, attempt))).info;
  }

  async list({ prefix, cursor, limit, signal }: ListOptions = {}): Promise<ObjectPage> {
    const page = { prefix: prefix ?? '', cursor: cursor ?? null, limit: limit ?? PAGE_OBJECTS_MAX };
    return await this.#retried({ key: '', signal }, (attempt) => this.#bucket.list({ ...page, ...attempt }));
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    await this.deleteMany([key], options);
  }

  async deleteMany(keys: readonly string[], { signal }: CallOptions = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    const { deletesMax } = this.#bucket.limits;
    for (let at = 0; at < keys.length; at += deletesMax) {
      const some = keys.slice(at, at + deletesMax);
      await this.#retried({ key: some[0]!, signal }, (attempt) => this.#bucket.deleteMany(some, attempt));
    }
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #putWhole(key: string, bytes: Uint8Array, { condition, signal }: PutOptions): Promise<ObjectInfo> {
    const mark = randomHex(this.#context.random, 4);
    const write = { mark, condition: condition ?? null, crc32: await crc32Of(bytes) };
    return await this.#published(key, mark, { bytes: bytes.length, signal }, (attempt) =>
      this.#bucket.put(key, bytes, { ...write, ...attempt }),
    );
  }

  async #putParts(
    key: string,
    first: Part,
    rest: { next(): Promise<Part> },
    signal: AbortSignal | undefined,
  ): Promise<ObjectInfo> {
    const mark = randomHex(this.#context.random, 4);
    const upload = await this.#retried({ key, signal }, (attempt) =>
      this.#bucket.beginUpload(key, { mark, ...attempt }),
    );
    try {
      await this.#sendParts(key, upload, first, rest, signal);
      return await this.#published(key, mark, { signal }, (attempt) => upload.complete(attempt));
    } catch (error) {
      // Best effort, and not ended by the caller's signal: parts that nobody completes still take room.
      await this.#retried({ key }, (attempt) => upload.abort(attempt)).catch(() => {});
      throw error;
    }
  }

  /** Sends parts as they come, a bounded number at once. When one fails, waits for the others and throws. */
  async #sendParts(
    key: string,
    upload: BucketUpload,
    first: Part,
    rest: { next(): Promise<Part> },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { partsAtOnce, partsMax } = this.#bucket.limits;
    const stop = new AbortController();
    const ended = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const underWay = new Set<Promise<void>>();
    const send = (index: number, { bytes, isLast }: Part) => {
      const call = { key, bytes: bytes.length, signal: ended };
      const sent = this.#retried(call, (attempt) => upload.putPart(index, bytes, { ...attempt, isLast }))
        .catch((error: unknown) => {
          if (!stop.signal.aborted) stop.abort(error);
        })
        .finally(() => underWay.delete(sent));
      underWay.add(sent);
    };
    try {
      for (let index = 0, part = first; ; part = await rest.next(), index++) {
        if (index === partsMax) throw new ObjectStoreError('invalid', key, 'the object is too large');
        send(index, part);
        if (part.isLast) break;
        if (underWay.size >= partsAtOnce) await Promise.race(underWay);
        ended.throwIfAborted();
      }
    } catch (error) {
      if (!stop.signal.aborted) stop.abort(error);
    }
    await Promise.all(underWay);
    ended.throwIfAborted();
  }

  /** Retries what makes an object visible. After a lost answer, a refusal may mean that it is there: ours, or not. */
  async #published(
    key: string,
    mark: string,
    call: { readonly bytes?: number; readonly signal: AbortSignal | undefined },
    publish: (attempt: AttemptOptions) => Promise<ObjectInfo>,
  ): Promise<ObjectInfo> {
    let attempts = 0;
    return await this.#retried({ key, ...call }, async (attempt) => {
      attempts += 1;
      try {
        return await publish(attempt);
      } catch (error) {
        const mayBeOurs = isObjectStoreError(error, 'exists') || isObjectStoreError(error, 'missing');
        if (attempts === 1 || !mayBeOurs) throw error;
        const found = await this.#bucket.head(key, attempt);
        if (found.mark === mark) return found.info;
        throw error;
      }
    });
  }

  #retried<Result>(
    call: { readonly key: string; readonly bytes?: number; readonly signal?: AbortSignal | undefined },
    attempt: (options: AttemptOptions, deadline: Deadline) => Promise<Result>,
  ): Promise<Result> {
    return withRetries(this.#context, call, (signal, deadline) => attempt({ signal }, deadline));
  }
}
