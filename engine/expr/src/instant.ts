import { FilterError } from './filter-error.ts';

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?$/;
const MINUTE_MS = 60_000;

/**
 * Reads `2025-01-01T00:00:00Z` and its shorter forms as microseconds since 1970; what stands behind the
 * sixth decimal place is cut off. Without an offset it is the wall time of `timeZone`, an IANA name.
 * @throws FilterError
 */
export function parseInstant(text: string, timeZone: string, phase: 'parse' | 'fill' = 'parse'): bigint {
  const match = RFC_3339.exec(text);
  const invalid = () => new FilterError(`invalid timestamptz literal: ${text.slice(0, 64)}`, phase);
  if (match === null) throw invalid();
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw invalid();
  if (hour > 23 || minute > 59 || second > 59 || part(10) > 23 || part(11) > 59) throw invalid();
  const wallMs = date.setUTCHours(hour, minute, second);
  const fraction = BigInt((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return BigInt(wallMs - offsetOf(match, wallMs, timeZone)) * 1_000n + fraction;
}

function offsetOf(match: RegExpExecArray, wallMs: number, timeZone: string): number {
  if (match[8] !== undefined) return 0;
  if (match[9] === undefined) return timeZone === 'UTC' ? 0 : zoneOffset(wallMs, timeZone);
  const size = (60 * Number(match[10]) + Number(match[11])) * MINUTE_MS;
  return match[9] === '-' ? -size : size;
}

/** How far the wall of `timeZone` is ahead of UTC when it shows `wallMs`, in milliseconds. */
function zoneOffset(wallMs: number, timeZone: string): number {
  const first = wallAt(wallMs, timeZone) - wallMs;
  return wallAt(wallMs - first, timeZone) - (wallMs - first);
}

function wallAt(ms: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric', era: 'short' },
  });
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
  const date = new Date(0);
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  date.setUTCFullYear(year, part('month') - 1, part('day'));
  return date.setUTCHours(part('hour'), part('minute'), part('second'));
}
