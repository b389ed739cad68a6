import {
  type GetOptions,
  type ListOptions,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  ObjectStoreError,
} from '@elanus/object-store';

/** Objects in memory, and what a test wants to happen to them. */
export class MemoryObjectStore implements ObjectStore {
  readonly place = 'memory';
  readonly files = null;
  readonly objects = new Map<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>();
  /** Does what is asked for, or something else; `null`: just that. */
  around:
    | (<Result>(call: 'put' | 'get' | 'delete', key: string, work: () => Promise<Result>) => Promise<Result>)
    | null = null;
  /** When objects seem to be written. */
  nowMs = 0;

  async put(key: string, body: ObjectBody): Promise<ObjectInfo> {
    const pieces: Uint8Array[] = [];
    if (body instanceof Uint8Array) pieces.push(body.slice());
    else for await (const piece of body) pieces.push(piece.slice());
    return await this.#call('put', key, async () => {
      this.objects.set(key, { bytes: Buffer.concat(pieces), modifiedMs: this.nowMs });
      return this.#info(key);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return await this.#call('get', key, async () => this.#read(key, options));
  }

  #read(key: string, { range, allocate }: GetOptions): Uint8Array {
    const { bytes } = this.#find(key);
    const { offset, length } = range ?? { offset: 0, length: bytes.length };
    if (offset + length > bytes.length) throw new ObjectStoreError('damaged', key, 'too short');
    const target = allocate?.(length) ?? new Uint8Array(length);
    target.set(bytes.subarray(offset, offset + length));
    return target;
  }

  async head(key: string): Promise<ObjectInfo> {
    return this.#info(key);
  }

  async list({ prefix = '' }: ListOptions = {}): Promise<ObjectPage> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    return { objects: keys.map((key) => this.#info(key)), next: null };
  }

  async delete(key: string): Promise<void> {
    await this.#call('delete', key, async () => {
      this.objects.delete(key);
    });
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.delete(key);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #call<Result>(
    call: 'put' | 'get' | 'delete',
    key: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    return await (this.around === null ? work() : this.around(call, key, work));
  }

  #find(key: string): { readonly bytes: Uint8Array; readonly modifiedMs: number } {
    const found = this.objects.get(key);
    if (found === undefined) throw new ObjectStoreError('missing', key, 'there is no such object');
    return found;
  }

  #info(key: string): ObjectInfo {
    const { bytes, modifiedMs } = this.#find(key);
    return { key, sizeBytes: bytes.length, etag: String(bytes.length), modifiedMs };
  }
}
