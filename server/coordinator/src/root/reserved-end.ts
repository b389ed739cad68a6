import type { MetaChange, MetaStore } from '@elanus/meta-store';
import type { Logger } from '@elanus/runtime';
import { decodeRecord, encodeRecord, RecordTooNew } from '../catalog/record.ts';

/**
 * Where handing out numbers (timestamps, ids) may go on: at the larger of `floor` and the end that an
 * earlier run had reserved. A damaged record is reported; `floor` is all that is left then.
 * @throws RecordTooNew when a newer build wrote it
 */
export async function readReservedEnd(
  store: MetaStore,
  key: string,
  options: { readonly floor: bigint; readonly logger: Logger },
): Promise<bigint> {
  const bytes = await store.get(key);
  if (bytes === undefined) return options.floor;
  try {
    const end = decodeRecord(bytes).int64('end');
    if (end < options.floor) return options.floor;
    return end;
  } catch (error) {
    if (error instanceof RecordTooNew) throw error;
    options.logger.error({ err: error, key }, 'a record of what was handed out is damaged');
    return options.floor;
  }
}

/** Reserves everything below `end` under `key`. */
export function reserveUpTo(key: string, end: bigint): MetaChange {
  return { key, value: encodeRecord({ end: String(end) }) };
}
