import { type InstantPart, instantPartReader } from '@elanus/expr';
import {
  type CollectionInfo,
  DataType,
  type FieldSchema,
  invalidParameter,
  type TimestamptzColumn,
} from '@elanus/model';
import { isTimezone, timeZoneOf } from '../definition/timezone.ts';
import type { Work } from '../rows/sliced-work.ts';
import { writeInstants } from '../wire/instants.ts';
import type { FieldOutput } from '../wire/output-column.ts';
import type { Parameters } from './parameters.ts';

/** How a request wants its instants. */
export interface InstantFormat {
  /** IANA name; also of the instants in its filter that are written without an offset. */
  readonly timeZone: string;
  /** What to return in the place of texts; `null`: texts. */
  readonly parts: readonly InstantPart[] | null;
}

const PARTS: readonly InstantPart[] = ['year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond'];
const SLICE_ROWS = 512;

/**
 * What `timezone` and `time_fields` ask for; the zone is the collection's when the request names none.
 * @throws MilvusError 1100 for a zone or a part that there is not
 */
export function readInstantFormat(parameters: Parameters, collection: CollectionInfo): InstantFormat {
  const asked = parameters.text('timezone');
  if (asked !== undefined && !isTimezone(asked)) {
    throw invalidParameter(`unknown or invalid IANA Time Zone ID: ${asked.slice(0, 64)}`);
  }
  return { timeZone: asked ?? timeZoneOf(collection), parts: readParts(parameters.text('time_fields')) };
}

function readParts(text: string | undefined): readonly InstantPart[] | null {
  if (text === undefined) return null;
  return text.split(',').map((name) => {
    const part = PARTS.find((known) => known === name.trim().toLowerCase());
    if (part === undefined) throw invalidParameter(`unknown time field: ${name.trim().slice(0, 64)}`);
    return part;
  });
}

/** A column of instants as the request wants it: texts, or arrays of the parts that it names. */
export function* writtenInstants(
  field: FieldSchema,
  column: TimestamptzColumn,
  { timeZone, parts }: InstantFormat,
): Work<FieldOutput> {
  if (parts === null) return { field, column: yield* writeInstants(column, timeZone) };
  const { length, validity } = column;
  const read = instantPartReader(timeZone, parts);
  const offsets = new Uint32Array(length + 1);
  const values = new BigInt64Array(length * parts.length);
  for (let row = 0; row < length; row += 1) {
    offsets[row + 1] = offsets[row]! + (validity?.[row] === 0 ? 0 : parts.length);
    if (validity?.[row] !== 0) values.set(read(column.values[row]!), offsets[row]);
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  const count = offsets[length]!;
  const elements = {
    dataType: DataType.Int64,
    length: count,
    validity: null,
    values: values.subarray(0, count),
  };
  return {
    field: { ...field, dataType: DataType.Array, elementType: DataType.Int64 },
    column: { dataType: DataType.Array, length, validity, offsets, elements },
  };
}
