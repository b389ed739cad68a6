import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, type Operation } from './ledger.ts';

test('complains about a lost row, a row that is there twice and a refused row that is there', () => {
  const ledger = new Ledger();
  const kept: Operation = { kind: 'insert', keys: [1n, 2n], value: 7n };
  ledger.sent(kept);
  ledger.acknowledged(kept);
  const refused: Operation = { kind: 'upsert', keys: [3n], value: 8n };
  ledger.sent(refused);
  ledger.refused(refused);
  const rows = [
    { key: 1n, value: 7n },
    { key: 1n, value: 7n },
    { key: 3n, value: 8n },
  ];
  assert.deepEqual(ledger.reconcile(rows), [
    'key 1 is there twice',
    'key 3 holds 8, but it was refused',
    'key 2 is lost, it was acknowledged with 7',
  ]);
});

test('accepts either outcome of an unanswered operation and remembers which it was', () => {
  const ledger = new Ledger();
  ledger.sent({ kind: 'upsert', keys: [1n], value: 7n });
  assert.deepEqual(ledger.reconcile([{ key: 1n, value: 7n }]), []);
  assert.deepEqual(ledger.reconcile([]), ['key 1 is lost, it was acknowledged with 7']);
});

test('complains when half of an unanswered operation is there', () => {
  const ledger = new Ledger();
  ledger.sent({ kind: 'upsert', keys: [1n, 2n], value: 7n });
  assert.deepEqual(ledger.reconcile([{ key: 1n, value: 7n }]), [
    'an unanswered upsert of 2 keys is there for 1 of them',
  ]);
});
