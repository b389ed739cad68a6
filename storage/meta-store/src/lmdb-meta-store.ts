import { setImmediate } from 'node:timers/promises';
import { assert } from '@elanus/model';
import { type Logger, NodeDisk } from '@elanus/runtime';
import type { RootDatabase } from 'lmdb';
import { openEnvironment } from './lmdb-environment.ts';
import { LmdbWriter } from './lmdb-writer.ts';
import type { MetaChange, MetaStore } from './meta-store.ts';
import { decodeMetaValue, encodeMetaValue, MetaDamageError } from './meta-value.ts';

export interface LmdbMetaStoreOptions {
  /** Made when it is not there; the store's two files lie in it. Opened by one process at a time. */
  readonly directory: string;
  readonly logger: Logger;
}

/** LMDB takes keys of up to 1,978 bytes; ours are counted in UTF-8. */
const KEY_BYTES_MAX = 1_900;
/** Pairs copied at a stretch by a scan. */
const SCAN_STRETCH = 1_000;

/**
 * Opens the catalog in `directory`. A commit is one LMDB transaction, synced when it resolves; a full
 * disk rejects it with code 7, and nothing of it is there. Reads happen in this thread, from the map.
 */
export async function openLmdbMetaStore(options: LmdbMetaStoreOptions): Promise<MetaStore> {
  const disk = new NodeDisk();
  await disk.createDirectory(options.directory);
  const path = `${options.directory}/catalog.lmdb`;
  const environment = openEnvironment(path);
  // A commit syncs the file but not its name.
  await disk.syncDirectory(options.directory);
  return new LmdbMetaStore(environment, new LmdbWriter(path), options.logger);
}

class LmdbMetaStore implements MetaStore {
  readonly #environment: RootDatabase<Buffer, Buffer>;
  readonly #writer: LmdbWriter;
  readonly #logger: Logger;

  constructor(environment: RootDatabase<Buffer, Buffer>, writer: LmdbWriter, logger: Logger) {
    this.#environment = environment;
    this.#writer = writer;
    this.#logger = logger;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const stored = this.#environment.getBinary(encodeKey(key));
    return stored === undefined ? undefined : decodeMetaValue(key, stored);
  }

  async scan(
    prefix: string,
    onDamage?: (key: string, reason: string) => void,
  ): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    const start = encodeKey(prefix);
    const pairs: (readonly [string, Uint8Array])[] = [];
    const transaction = this.#environment.useReadTransaction();
    try {
      let visited = 0;
      for (const { key: bytes, value } of this.#environment.getRange({ start, transaction })) {
        if (!bytes.subarray(0, start.length).equals(start)) break;
        const pair = this.#sound(bytes.toString('utf8'), value, onDamage);
        if (pair !== null) pairs.push(pair);
        visited += 1;
        if (visited % SCAN_STRETCH === 0) await setImmediate();
      }
    } finally {
      transaction.done();
    }
    // LMDB orders by UTF-8 bytes, which differs from code units beyond the Basic Multilingual Plane.
    return pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  async commit(changes: readonly MetaChange[]): Promise<void> {
    await this.#writer.commit(
      changes.map(({ key, value }) => ({
        key: encodeKey(key),
        value: value === null ? null : encodeMetaValue(key, value),
      })),
    );
    // The binding keeps a read transaction open over an event turn; what comes next must see this commit.
    this.#environment.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#environment.close();
  }

  /** One damaged value must not hide the others: a scan logs it and goes on, a `get` of it throws. */
  #sound(
    key: string,
    stored: Buffer,
    onDamage?: (key: string, reason: string) => void,
  ): readonly [string, Uint8Array] | null {
    try {
      return [key, decodeMetaValue(key, stored)];
    } catch (error) {
      if (!(error instanceof MetaDamageError)) throw error;
      onDamage?.(key, error.message);
      this.#logger.error(
        { key, err: error },
        'a value of the catalog is damaged and left out; the rest is served',
      );
      return null;
    }
  }
}

function encodeKey(key: string): Buffer {
  assert(key.isWellFormed(), 'a key is well-formed text');
  const bytes = Buffer.from(key, 'utf8');
  assert(bytes.length <= KEY_BYTES_MAX, 'a key fits its bound');
  return bytes;
}
