import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  INSTANT_MAX,
  INSTANT_MIN,
  instantFormatter,
  instantPartReader,
  parseInstant,
  parseInstantText,
} from './instant.ts';
import { addInterval, oppositeInterval, parseInterval } from './interval.ts';

const INSTANTS: readonly (readonly [text: string, zone: string, utc: string, microseconds?: bigint])[] = [
  ['2025-01-01T00:00:00Z', 'Asia/Tokyo', '2025-01-01T00:00:00Z'],
  ['2025-01-01t00:00:00z', 'UTC', '2025-01-01T00:00:00Z'],
  ['2025-01-01T00:00:00+08:00', 'UTC', '2024-12-31T16:00:00Z'],
  ['2025-01-01T00:00:00-0330', 'UTC', '2025-01-01T03:30:00Z'],
  ['2025-01-01T09:00:00', 'Asia/Tokyo', '2025-01-01T00:00:00Z'],
  ['2025-07-01T00:00:00', 'America/New_York', '2025-07-01T04:00:00Z'],
  ['2025-01-01T00:00:00', 'America/New_York', '2025-01-01T05:00:00Z'],
  ['2025-01-01', 'UTC', '2025-01-01T00:00:00Z'],
  ['2025-01-01 12:30', 'UTC', '2025-01-01T12:30:00Z'],
  ['1969-12-31T23:59:59.999999Z', 'UTC', '1969-12-31T23:59:59Z', 999_999n],
  ['2024-02-29T00:00:00.1234567Z', 'UTC', '2024-02-29T00:00:00Z', 123_456n],
  ['0001-01-01T00:00:00Z', 'UTC', '0001-01-01T00:00:00Z'],
];
for (const [text, zone, utc, microseconds = 0n] of INSTANTS)
  test(`${text} in ${zone} is ${utc}`, () =>
    assert.equal(parseInstant(text, zone), BigInt(Date.parse(utc)) * 1_000n + microseconds));

for (const text of [
  '',
  'now',
  '2025-13-01',
  '2025-02-29',
  '2025-01-01T24:00:00Z',
  '2025-01-01T00:60Z',
  '25-01-01',
])
  test(`"${text}" is no instant`, () =>
    assert.throws(() => parseInstant(text, 'UTC'), /invalid timestamptz literal/));

const WRITTEN: readonly (readonly [utc: string, zone: string, text: string])[] = [
  ['2025-01-01T00:00:00.120Z', 'UTC', '2025-01-01T00:00:00.12Z'],
  ['2025-01-01T00:00:00Z', 'Asia/Shanghai', '2025-01-01T08:00:00+08:00'],
  ['2025-07-01T00:00:00Z', 'Europe/London', '2025-07-01T01:00:00+01:00'],
  ['2025-01-01T00:00:00Z', 'Europe/London', '2025-01-01T00:00:00Z'],
  ['2025-03-09T06:59:59Z', 'America/New_York', '2025-03-09T01:59:59-05:00'],
  ['2025-03-09T07:00:00Z', 'America/New_York', '2025-03-09T03:00:00-04:00'],
  ['1880-01-01T00:00:00Z', 'Europe/Vienna', '1880-01-01T01:05:00+01:05'],
  ['0000-01-01T00:00:00Z', 'UTC', '0000-01-01T00:00:00Z'],
];
for (const [utc, zone, text] of WRITTEN)
  test(`${utc} is written ${text} in ${zone}`, () =>
    assert.equal(instantFormatter(zone)(BigInt(Date.parse(utc)) * 1_000n), text));

test('what is written of an instant is read as that instant, in any zone', () => {
  const zones = ['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Monrovia'];
  const day = 86_400_000_000n;
  fc.assert(
    fc.property(
      fc.bigInt({ min: INSTANT_MIN + day, max: INSTANT_MAX - day }),
      fc.constantFrom(...zones),
      fc.constantFrom(...zones),
      (microseconds, zone, other) => {
        const text = instantFormatter(zone)(microseconds);
        assert.equal(parseInstantText(text, other), microseconds, text);
      },
    ),
  );
});

test('the parts of an instant are those of the wall', () => {
  const read = instantPartReader('Asia/Tokyo', [
    'year',
    'month',
    'day',
    'hour',
    'minute',
    'second',
    'microsecond',
  ]);
  const at = BigInt(Date.parse('2024-12-31T15:04:05Z')) * 1_000n;
  assert.deepEqual(read(at + 7n), [2025n, 1n, 1n, 0n, 4n, 5n, 7n]);
  assert.deepEqual(instantPartReader('UTC', ['microsecond', 'second'])(-1n), [999_999n, 59n]);
});

const SUMS: readonly (readonly [from: string, interval: string, to: string, back: string])[] = [
  ['2025-01-31T10:00:00Z', 'P1M', '2025-02-28T10:00:00Z', '2024-12-31T10:00:00Z'],
  ['2024-02-29T00:00:00Z', 'P1Y', '2025-02-28T00:00:00Z', '2023-02-28T00:00:00Z'],
  ['2025-01-01T00:00:00Z', 'P1Y2M3DT4H5M6S', '2026-03-04T04:05:06Z', '2023-10-28T19:54:54Z'],
  ['1969-12-31T23:59:59Z', 'P2M', '1970-02-28T23:59:59Z', '1969-10-31T23:59:59Z'],
];
for (const [from, text, to, back] of SUMS)
  test(`${from} and ${text} is ${to}, and back ${back}`, () => {
    const interval = parseInterval(text);
    const at = BigInt(Date.parse(from)) * 1_000n;
    const shown = (microseconds: bigint) => new Date(Number(microseconds / 1_000n)).toISOString();
    assert.equal(shown(addInterval(at, interval)), new Date(to).toISOString());
    assert.equal(shown(addInterval(at, oppositeInterval(interval))), new Date(back).toISOString());
  });

for (const text of ['', 'P', 'PT', 'P1DT', 'P1W', '1D', 'P-1D', 'P1.5D', 'P1H', 'p1d', 'P1D1M', 'P99999Y'])
  test(`"${text}" is no interval`, () =>
    assert.throws(() => parseInterval(text), { message: `invalid ISO 8601 duration: ${text}` }));
