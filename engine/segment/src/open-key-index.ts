import { DataType, type KeyColumn } from '@elanus/model';
import { Int64KeyIndex } from './int64-key-index.ts';
import type { KeyIndex, KeyReader } from './key-index.ts';
import { VarCharKeyIndex } from './varchar-key-index.ts';

/** An empty index for keys of `type`; `seed` (32 bits) keeps clients from choosing keys that collide. */
export function openKeyIndex(type: KeyColumn['dataType'], reader: KeyReader, seed: number): KeyIndex {
  return type === DataType.Int64 ? new Int64KeyIndex(seed) : new VarCharKeyIndex(reader, seed);
}
