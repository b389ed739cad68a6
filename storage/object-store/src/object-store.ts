/** What the store knows of one object. */
export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes whenever the object does; means nothing else. */
  readonly etag: string;
  /** Unix milliseconds of the last write, by the clock of the store. */
  readonly modifiedMs: number;
}

/** Bytes in one piece, or pieces of any size, read once. The store does not keep them; they must not change meanwhile. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface CallOptions {
  /** Ends the call with the signal's reason. A write that is ended may have happened or not. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends CallOptions {
  /**
   * `absent`: only if there is no object of that key; of any number of racing writers exactly one succeeds. The body
   * may have `CONDITIONAL_BYTES_MAX` bytes.
   */
  readonly condition?: 'absent';
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface GetOptions extends CallOptions {
  /** Only these bytes, which have to exist; left out: all. */
  readonly range?: ByteRange;
  /** Gives the memory for `length` bytes, for example shared with the kernel. Not called twice at a time. */
  readonly allocate?: (length: number) => Uint8Array;
}

export interface ListOptions extends CallOptions {
  /** Keys that begin with this; any text, not only whole folders. Left out: all keys. */
  readonly prefix?: string;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** Objects of this page, 1 to 1,000 (the default). */
  readonly limit?: number;
}

export interface ObjectPage {
  /** In the order of their keys' UTF-8 bytes. */
  readonly objects: readonly ObjectInfo[];
  /** The cursor of the next page, which may be empty; `null` when this is the last. */
  readonly next: string | null;
}

/** The objects of a store as files of this machine. */
export interface LocalFiles {
  /** Where the bytes of an object lie, if there is one of this key. Nobody may change them. */
  pathOf(key: string): string;
  /** A path that no file has yet. What is left there when the process ends, the next one removes. */
  newDraft(): string;
  /** As `put`, of the file at a draft's path, which is written, durable and closed; it is not copied. */
  adopt(key: string, draft: string): Promise<ObjectInfo>;
}

/**
 * Where immutable files lie: a directory, or a bucket of S3, Google Cloud Storage or Azure Blob.
 *
 * A key is a path of names with `/` between them (`checkKey` says which), and no key is a folder of another:
 * `a` and `a/b` can't both be there. All calls may run at the same time. They reject with `ObjectStoreError`, or
 * with the reason of the signal.
 */
export interface ObjectStore extends AsyncDisposable {
  /** For people: `directory /data/objects`, `s3 bucket/prefix at host`. */
  readonly place: string;
  /** Its objects as files; `null` where they are not. */
  readonly files: LocalFiles | null;
  /**
   * Writes an object whole or not at all: readers see what was there before, or all of `body`, which is durable
   * when the call resolves. A call that rejects with a retriable error may have happened or may still happen.
   * Large bodies take a bounded amount of memory.
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<ObjectInfo>;
  /** The bytes of an object; the caller owns them. Rejects with `missing` when there is none. */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  /** Rejects with `missing` when there is no such object. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo>;
  /** Sees every object whose `put` resolved before the call, unless it was deleted. */
  list(options?: ListOptions): Promise<ObjectPage>;
  /** Resolves when there is no such object (any more). */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** As `delete` for each; when it rejects, any of them may be gone. */
  deleteMany(keys: readonly string[], options?: CallOptions): Promise<void>;
  /** Ends connections. Calls under way should have ended. */
  close(): Promise<void>;
}

/** All objects below a prefix, page by page. */
export async function* listAll(
  store: Pick<ObjectStore, 'list'>,
  prefix: string,
  options: CallOptions = {},
): AsyncGenerator<ObjectInfo> {
  let cursor: string | undefined;
  do {
    const page: ObjectPage = await store.list({
      ...options,
      prefix,
      ...(cursor !== undefined && { cursor }),
    });
    yield* page.objects;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

/** Conditional bodies go in one request: not every service heeds a condition on an upload in parts. */
export const CONDITIONAL_BYTES_MAX = 64 * 1024 * 1024;

/** The most objects of a page. */
export const PAGE_OBJECTS_MAX = 1_000;
