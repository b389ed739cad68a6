import { crc32 } from 'node:zlib';

/**
 * Of records of the catalog; docs/formats/catalog.md draws it. A record is written in the lowest version that says all
 * it holds, so that older builds read what they can understand.
 */
export const RECORD_VERSION = { lowest: 1, newest: 4 } as const;

/** `v<version> <crc32 of the body, 8 hex digits>\n`, then the body. */
const HEADER = /^v(\d{1,9}) ([0-9a-f]{8})\n/;
const HEADER_BYTES_MAX = 'v999999999 00000000\n'.length;

/** A record that cannot be what was written: it is set aside, everything else is served. */
export class RecordDamage extends Error {
  override readonly name = 'RecordDamage';
}

/** A record that a newer build has written: reading on would lose what it means. */
export class RecordTooNew extends Error {
  override readonly name = 'RecordTooNew';
}

/** The bytes of one record; `body` is anything that JSON can say, with int64 as decimal text. */
export function encodeRecord(body: object, version: number = RECORD_VERSION.lowest): Uint8Array {
  const json = Buffer.from(JSON.stringify(body), 'utf8');
  const checksum = crc32(json).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`v${version} ${checksum}\n`, 'latin1'), json]);
}

/**
 * The body of a record.
 * @throws RecordDamage when header, checksum or JSON are not what `encodeRecord` makes
 * @throws RecordTooNew when the record's version is above the newest
 */
export function decodeRecord(bytes: Uint8Array): StoredObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = HEADER.exec(buffer.toString('latin1', 0, HEADER_BYTES_MAX));
  if (header === null) throw new RecordDamage('the header is damaged');
  const version = Number(header[1]);
  const { newest } = RECORD_VERSION;
  if (version > newest) {
    throw new RecordTooNew(`version ${version} is newer than ${newest}, the newest this build reads`);
  }
  const json = buffer.subarray(header[0].length);
  if (crc32(json) !== Number.parseInt(header[2]!, 16)) throw new RecordDamage('the checksum does not match');
  try {
    return new StoredObject(JSON.parse(json.toString('utf8')), 'record');
  } catch (error) {
    if (error instanceof RecordDamage) throw error;
    throw new RecordDamage('the body is no JSON', { cause: error });
  }
}

/** A JSON object read member by member; a member of another kind than asked for is `RecordDamage`. */
export class StoredObject {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RecordDamage(`${path} is no object`);
    }
    this.#members = value as Record<string, unknown>;
    this.#path = path;
  }

  has(key: string): boolean {
    return this.#members[key] !== undefined && this.#members[key] !== null;
  }

  text(key: string): string {
    const value = this.#members[key];
    if (typeof value !== 'string') throw this.#damaged(key, 'text');
    return value;
  }

  flag(key: string): boolean {
    const value = this.#members[key];
    if (typeof value !== 'boolean') throw this.#damaged(key, 'a flag');
    return value;
  }

  number(key: string): number {
    const value = this.#members[key];
    if (typeof value !== 'number') throw this.#damaged(key, 'a number');
    return value;
  }

  integer(key: string): number {
    const value = this.#members[key];
    if (!Number.isSafeInteger(value)) throw this.#damaged(key, 'an integer');
    return value as number;
  }

  /** Decimal text, exact beyond 2^53. */
  int64(key: string): bigint {
    return this.#int64(key, this.#members[key]);
  }

  int64s(key: string): bigint[] {
    return this.#items(key).map((item) => this.#int64(key, item));
  }

  integers(key: string): number[] {
    return this.#items(key).map((item) => {
      if (!Number.isSafeInteger(item)) throw this.#damaged(key, 'a list of integers');
      return item as number;
    });
  }

  texts(key: string): string[] {
    return this.#items(key).map((item) => {
      if (typeof item !== 'string') throw this.#damaged(key, 'a list of texts');
      return item;
    });
  }

  object(key: string): StoredObject {
    return new StoredObject(this.#members[key], `${this.#path}.${key}`);
  }

  objects<Item>(key: string, read: (item: StoredObject) => Item): Item[] {
    return this.#items(key).map((item, at) => read(new StoredObject(item, `${this.#path}.${key}[${at}]`)));
  }

  #items(key: string): readonly unknown[] {
    const value = this.#members[key];
    if (!Array.isArray(value)) throw this.#damaged(key, 'a list');
    return value;
  }

  #int64(key: string, value: unknown): bigint {
    if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) throw this.#damaged(key, 'an int64');
    return BigInt(value);
  }

  #damaged(key: string, expected: string): RecordDamage {
    return new RecordDamage(`${this.#path}.${key} is not ${expected}`);
  }
}
