import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdlePoll } from './idle-poll.ts';
import { ManualClock } from './manual-clock.ts';

/** A loop that is turned by hand: `turns()` runs it until it would sleep, each turn taking `turnMs`. */
function loop() {
  const clock = new ManualClock();
  let next: (() => void) | null = null;
  const poll = new IdlePoll(clock, (turn) => {
    next = turn;
  });
  return {
    clock,
    poll,
    isAwake: () => next !== null,
    turns(turnMs = 0.01): number {
      let count = 0;
      while (next !== null) {
        const turn = next;
        next = null;
        clock.advance(turnMs);
        turn();
        count++;
      }
      return count;
    },
    /** Questions of one client, each `pauseMs` after the last answer. */
    ask(count: number, pauseMs: number): void {
      for (let at = 0; at < count; at++) {
        clock.advance(pauseMs);
        poll.asked();
        poll.answered();
      }
    },
  };
}

test('sleeps after the answers of clients that take their time', () => {
  const { ask, isAwake } = loop();
  ask(100, 0.3);
  assert.equal(isAwake(), false);
});

test('stays awake for a fifth of a millisecond after answers to a client that asks at once again', () => {
  const { ask, isAwake, turns } = loop();
  ask(4, 0.05);
  assert.equal(isAwake(), false, 'it is not yet known to ask at once');
  ask(1, 0.05);
  assert.equal(isAwake(), true);
  const count = turns();
  assert.ok(count >= 19 && count <= 21, `${count} turns of 0.01 ms`);
});

test('goes to sleep when the client stops asking, and does not wake for the next one that takes its time', () => {
  const { ask, isAwake, turns } = loop();
  ask(100, 0.05);
  assert.equal(isAwake(), true);
  turns();
  for (let vain = 0; vain < 4; vain++) {
    ask(1, 1);
    turns();
  }
  ask(1, 1);
  assert.equal(isAwake(), false);
});

test('sleeps when clients ask at the same time', () => {
  const { ask, clock, isAwake, poll, turns } = loop();
  ask(100, 0.05);
  turns();
  for (let pair = 0; pair < 8; pair++) {
    clock.advance(0.02);
    poll.asked();
    poll.asked();
    poll.answered();
    poll.answered();
    turns();
  }
  ask(1, 0.05);
  assert.equal(isAwake(), false);
});

test('lets the loop sleep while a question is being worked on', () => {
  const { ask, clock, poll, turns } = loop();
  ask(100, 0.05);
  clock.advance(0.02);
  poll.asked();
  assert.equal(turns(), 1);
});

test('goes on through answers that come while it is awake', () => {
  const { ask, clock, isAwake, poll, turns } = loop();
  ask(100, 0.05);
  clock.advance(0.19);
  poll.asked();
  poll.answered();
  assert.equal(isAwake(), true);
  const count = turns();
  assert.ok(count >= 19 && count <= 21, `${count} turns of 0.01 ms`);
});
