import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Metrics, noMetrics } from '@elanus/runtime';
import { CallMetrics } from './call-metrics.ts';

test('who reads metrics finds every call that has ended, by its outcome, and how long each took', () => {
  const counts = new Map<string, number>();
  const durationsMs: number[] = [];
  const settled: (() => void)[] = [];
  const metrics: Metrics = {
    ...noMetrics,
    counter: () => ({
      inc: ({ function_name: name, status }, amount = 1) => {
        counts.set(`${name} ${status}`, (counts.get(`${name} ${status}`) ?? 0) + amount);
      },
    }),
    histogram: () => ({ observe: (_, value) => durationsMs.push(value) }),
    beforeRead: (settle) => settled.push(settle),
  };
  const read = (): void => {
    for (const settle of settled) settle();
  };
  const calls = new CallMetrics(metrics);
  const metricsOf = calls.ofMethods();
  const [query, insert] = [metricsOf('Query'), metricsOf('Insert')];
  for (let call = 0; call < 1_000; call += 1) {
    query.begin();
    query.end('success', call);
  }
  insert.begin();
  insert.end('fail', 5_000);
  read();
  assert.deepEqual(Object.fromEntries(counts), { 'Query success': 1_000, 'Insert fail': 1 });
  assert.deepEqual(durationsMs, [...Array(1_000).keys(), 5_000]);
  query.begin();
  query.end('abandon', 7);
  read();
  read();
  assert.equal(counts.get('Query abandon'), 1);
  assert.equal(durationsMs.length, 1_002);
});
