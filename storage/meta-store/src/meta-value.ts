import { crc32 } from 'node:zlib';

/**
 * A stored value: a version, a checksum over key and value (LMDB has none of its own), the value.
 * Drawn in docs/formats/meta-store.md.
 */
const META_VALUE = { versionAt: 0, checksumAt: 1, valueAt: 5 } as const;
const META_VALUE_VERSION = 1;

/** A value of the catalog that cannot be trusted. */
export class MetaDamageError extends Error {
  override readonly name = 'MetaDamageError';
  readonly key: string;

  constructor(key: string, reason: string) {
    super(`the value of ${JSON.stringify(key)} in the meta store is damaged: ${reason}`);
    this.key = key;
  }
}

export function encodeMetaValue(key: string, value: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(META_VALUE.valueAt + value.length);
  bytes.writeUInt8(META_VALUE_VERSION, META_VALUE.versionAt);
  bytes.writeUInt32LE(checksum(key, value), META_VALUE.checksumAt);
  bytes.set(value, META_VALUE.valueAt);
  return bytes;
}

/** A copy of the value. Throws `MetaDamageError`. */
export function decodeMetaValue(key: string, stored: Uint8Array): Uint8Array {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  if (bytes.length < META_VALUE.valueAt) throw new MetaDamageError(key, 'it is too short');
  const version = bytes.readUInt8(META_VALUE.versionAt);
  if (version !== META_VALUE_VERSION) throw new MetaDamageError(key, `its version is ${version}`);
  const value = Uint8Array.from(bytes.subarray(META_VALUE.valueAt));
  if (checksum(key, value) !== bytes.readUInt32LE(META_VALUE.checksumAt)) {
    throw new MetaDamageError(key, 'it does not match its checksum');
  }
  return value;
}

/** The key is part of it, so that a value under a wrong key is found too. */
function checksum(key: string, value: Uint8Array): number {
  return crc32(value, crc32(key));
}
