import type { FileResource } from '@elanus/rpc';
import { decodeRecord, encodeRecord } from './record.ts';

export function encodeFileResource({ id, name, path }: FileResource): Uint8Array {
  return encodeRecord({ id: String(id), name, path });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeFileResource(bytes: Uint8Array): FileResource {
  const record = decodeRecord(bytes);
  return { id: record.int64('id'), name: record.text('name'), path: record.text('path') };
}
