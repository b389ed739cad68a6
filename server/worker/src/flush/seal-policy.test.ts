import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonToSeal, type SealLimits } from './seal-policy.ts';

const LIMITS: SealLimits = {
  bytesMax: 1_000,
  logBytesMax: 5_000,
  lifeMsMax: 60_000,
  idleMsMax: 5_000,
  idleBytesMin: 100,
  intervalMs: 1,
};
const NOW_MS = 1_000_000;

interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly logBytes?: number;
  readonly ageMs: number;
  readonly restMs: number;
  readonly reason: ReturnType<typeof reasonToSeal>;
}

const CASES: readonly Case[] = [
  { name: 'few fresh rows stay', bytes: 10, ageMs: 10, restMs: 10, reason: null },
  { name: 'as many bytes as a segment should have go', bytes: 1_000, ageMs: 10, restMs: 10, reason: 'size' },
  { name: 'one byte less stays', bytes: 999, ageMs: 10, restMs: 10, reason: null },
  { name: 'old rows go, however few', bytes: 0, ageMs: 60_000, restMs: 10, reason: 'age' },
  {
    name: 'rows at rest go when they are worth a file',
    bytes: 100,
    ageMs: 9_000,
    restMs: 5_000,
    reason: 'rest',
  },
  { name: 'few rows at rest stay', bytes: 99, ageMs: 9_000, restMs: 5_000, reason: null },
  { name: 'rows that were added to lately stay', bytes: 500, ageMs: 9_000, restMs: 4_999, reason: null },
  {
    name: 'a long log goes, however few rows it has left',
    bytes: 0,
    logBytes: 5_000,
    ageMs: 10,
    restMs: 10,
    reason: 'log',
  },
];

for (const { name, bytes, logBytes = 0, ageMs, restMs, reason } of CASES) {
  test(name, () => {
    const rows = { bytes, logBytes, oldestMs: NOW_MS - ageMs, newestMs: NOW_MS - restMs };
    assert.equal(reasonToSeal(rows, LIMITS, NOW_MS), reason);
  });
}
