import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeTimestamp, type Timestamp } from '@elanus/model';
import { ReadMoments } from './read-moments.ts';

const minute = (count: number): Timestamp => composeTimestamp(1_700_000_000_000 + 60_000 * count);

test('nobody reads an earlier moment than now when nobody does', () => {
  assert.equal(new ReadMoments().earliest(minute(0)), minute(0));
});

test('a moment is kept until the last read of it has ended', () => {
  const moments = new ReadMoments();
  const leave = [moments.enter(minute(3)), moments.enter(minute(3)), moments.enter(minute(5))];
  assert.equal(moments.earliest(minute(9)), minute(3));
  leave[0]!();
  assert.equal(moments.earliest(minute(9)), minute(3));
  leave[1]!();
  assert.equal(moments.earliest(minute(9)), minute(5));
  leave[2]!();
  assert.equal(moments.earliest(minute(9)), minute(9));
});

test('a moment that was asked for by its time is kept for ten minutes more', () => {
  const moments = new ReadMoments();
  moments.noteSnapshot(minute(2), minute(20));
  moments.noteSnapshot(minute(4), minute(20));
  assert.equal(moments.earliest(minute(29)), minute(2));
  moments.noteSnapshot(minute(4), minute(29));
  assert.equal(moments.earliest(minute(31)), minute(4));
  assert.equal(moments.earliest(minute(40)), minute(40));
});
