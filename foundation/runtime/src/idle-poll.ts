import type { Clock } from './clock.ts';

/** How long after an answer the loop stays awake. A client on the same machine asks again within a quarter of it, or half where all is slower. */
const POLL_MS = 0.2;
/** A request so soon after the last answer comes from a client that asks one question after the other. */
const SOON_MS = 0.25;
/** So many more of such requests than of others, and the loop stays awake. */
const SCORE_MIN = 4;
const SCORE_MAX = 16;
/** What a poll that nobody ended takes off the score, and a request that comes before the last one's answer. */
const VAIN = 4;

/**
 * Keeps the event loop awake for a moment after an answer when clients have been seen to ask again at once: waking a
 * processor that sleeps takes 30 to 60 µs on a virtual machine, as long as answering a small question. Seastar does
 * the same (`idle-poll-time-us`). Who asks less often than 4,000 times a second is never waited for, and polls in vain
 * end it, so an idle server sleeps and one that shares its only processor with the client lets it run. Nor does it poll
 * for clients that ask at the same time: their requests come in together when the loop sleeps a little, which costs less.
 */
export class IdlePoll {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #nextTurn: (turn: () => void) => void;
  #answeredMs = 0;
  #isWaiting = false;
  #isPolling = false;
  #score = 0;

  /** `nextTurn` calls back in the next turn of the loop, which then does not sleep before it. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, nextTurn: (turn: () => void) => void = setImmediate) {
    this.#clock = clock;
    this.#nextTurn = nextTurn;
  }

  /** A request has come. */
  asked(): void {
    if (!this.#isWaiting) {
      this.#score = Math.max(this.#score - VAIN, 0);
      return;
    }
    this.#isWaiting = false;
    const isSoon = this.#clock.monotonicMs() - this.#answeredMs < SOON_MS;
    this.#score = isSoon ? Math.min(this.#score + 1, SCORE_MAX) : Math.max(this.#score - 1, 0);
  }

  /** An answer has been handed to the connection. */
  answered(): void {
    this.#answeredMs = this.#clock.monotonicMs();
    this.#isWaiting = true;
    if (this.#isPolling || this.#score < SCORE_MIN) return;
    this.#isPolling = true;
    this.#nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#isWaiting && this.#clock.monotonicMs() - this.#answeredMs < POLL_MS) {
      this.#nextTurn(this.#turn);
      return;
    }
    this.#isPolling = false;
    if (this.#isWaiting) this.#score = Math.max(this.#score - VAIN, 0);
  };
}
