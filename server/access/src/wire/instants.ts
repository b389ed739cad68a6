import { instantFormatter, parseInstantText } from '@elanus/expr';
import { DataType, invalidParameter, type TimestamptzColumn, type VarCharColumn } from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';

/** Texts that are read or written in about half a millisecond. */
const SLICE_ROWS = 512;
const TEXT_LENGTH_SHOWN_MAX = 64;

/**
 * The instants that texts say; without an offset they are the wall time of `timeZone`.
 * @throws MilvusError 1100 for a text that is no instant
 */
export function* readInstants(
  { length, offsets, bytes }: VarCharColumn,
  timeZone: string,
): Work<TimestamptzColumn> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new BigInt64Array(length);
  for (let row = 0; row < length; row++) {
    const text = source.toString('utf8', offsets[row], offsets[row + 1]);
    const value = parseInstantText(text, timeZone);
    if (value === undefined) throw invalidInstant(text);
    values[row] = value;
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  return { dataType: DataType.Timestamptz, length, validity: null, values };
}

/** Milvus' text, whatever was wrong. */
export function invalidInstant(text: string): Error {
  return invalidParameter(
    `got invalid timestamptz string '${text.slice(0, TEXT_LENGTH_SHOWN_MAX)}': invalid timezone name; must be a valid IANA Time Zone ID (e.g., 'Asia/Shanghai' or 'UTC')`,
  );
}

/** The texts of instants on the wall of `timeZone`; a null has an empty one. */
export function* writeInstants(
  { length, values, validity }: TimestamptzColumn,
  timeZone: string,
): Work<VarCharColumn> {
  const format = instantFormatter(timeZone);
  const offsets = new Uint32Array(length + 1);
  const texts: string[] = [];
  for (let row = 0; row < length; row++) {
    const text = validity?.[row] === 0 ? '' : format(values[row]!);
    texts.push(text);
    offsets[row + 1] = offsets[row]! + text.length;
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  const bytes = Buffer.from(texts.join(''), 'latin1');
  return { dataType: DataType.VarChar, length, validity, offsets, bytes };
}
