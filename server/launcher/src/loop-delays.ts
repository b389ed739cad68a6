import { createHistogram, performance } from 'node:perf_hooks';
import type { Clock } from '@elanus/runtime';

/** How often the delay is sampled while the loop is busy, milliseconds: a timer of this period, late by the delay. */
const SAMPLE_MS = 2;
/** How often an idle loop is looked at. */
const LOOK_MS = 500;
/** A loop that works for less than this share of the time is idle: the samples themselves take a fiftieth. */
const BUSY_SHARE = 0.1;
const NANOSECONDS_PER_MS = 1e6;

/**
 * By how much calls of the event loop are late, since the figures were last forgotten. Node's `monitorEventLoopDelay` would wake
 * an idle server 500 times a second for the same, which is 2 % of a processor; here only a busy loop is sampled.
 */
export class LoopDelays {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #delays = createHistogram();
  #isSampling = false;
  #used = performance.eventLoopUtilization();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  start(): void {
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Seconds; `percent` of 100 is the longest. */
  percentile(percent: number): number {
    return this.#delays.count === 0 ? 0 : this.#delays.percentile(percent) / NANOSECONDS_PER_MS / 1000;
  }

  reset(): void {
    this.#delays.reset();
  }

  #look(): void {
    const used = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(used, this.#used);
    this.#used = used;
    const wasSampling = this.#isSampling;
    this.#isSampling = utilization > BUSY_SHARE;
    if (this.#isSampling && !wasSampling) this.#sample();
  }

  #sample(): void {
    const dueMs = this.#clock.monotonicMs() + SAMPLE_MS;
    setTimeout(() => {
      const lateMs = Math.max(this.#clock.monotonicMs() - dueMs, 0);
      this.#delays.record(Math.max(1, Math.round(lateMs * NANOSECONDS_PER_MS)));
      if (this.#isSampling) this.#sample();
    }, SAMPLE_MS).unref();
  }
}
