import { DataType, type KeyColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';

/** The key of row `rows[i]` of each of `chunks`, whose files are open. */
export function copiedKeys(chunks: readonly Chunk[], rows: readonly number[], type: DataType): KeyColumn {
  const columns = chunks.map((chunk) => chunk.keys);
  if (type === DataType.Int64)
    return int64Column(columns.map((keys, i) => (keys as { values: BigInt64Array }).values[rows[i]!]!));
  const { length } = rows;
  const offsets = new Uint32Array(length + 1);
  const texts = columns.map((keys, i) => {
    const { offsets: from, bytes } = keys as { offsets: Uint32Array; bytes: Uint8Array };
    const text = bytes.subarray(from[rows[i]!]!, from[rows[i]! + 1]!);
    offsets[i + 1] = offsets[i]! + text.length;
    return text;
  });
  const bytes = new Uint8Array(offsets[length]!);
  for (const [i, text] of texts.entries()) bytes.set(text, offsets[i]!);
  return { dataType: DataType.VarChar, length, validity: null, offsets, bytes };
}

export function int64Column(values: readonly bigint[]): KeyColumn {
  return {
    dataType: DataType.Int64,
    length: values.length,
    validity: null,
    values: BigInt64Array.from(values),
  };
}
