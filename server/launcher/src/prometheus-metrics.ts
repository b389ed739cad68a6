import type { Clock, Counter, GaugeReader, GaugesReader, Histogram, Metrics } from '@elanus/runtime';
import {
  collectDefaultMetrics,
  Gauge,
  Counter as RegisteredCounter,
  Histogram as RegisteredHistogram,
  Registry,
} from 'prom-client';
import { LoopDelays } from './loop-delays.ts';

/** The metrics of one server, as Prometheus reads them, with those of the process and of its event loop. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #unsettled: (() => void)[] = [];

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    // Among others: CPU, resident memory, open files, garbage collection.
    collectDefaultMetrics({ register: this.#registry });
    this.#measureLoopDelay(new LoopDelays(clock));
  }

  /** By how much calls are late; unlike prom-client's own figures without the sampling period in them. */
  #measureLoopDelay(delays: LoopDelays): void {
    delays.start();
    const since = 'since it was last read';
    this.gauge('elanus_event_loop_delay_p50_seconds', `Median delay of the event loop ${since}`, () =>
      delays.percentile(50),
    );
    this.gauge('elanus_event_loop_delay_max_seconds', `Longest delay of the event loop ${since}`, () =>
      delays.percentile(100),
    );
    this.gauge(
      'elanus_event_loop_delay_p99_seconds',
      `99 % of the event loop's delays are shorter, ${since}`,
      () => {
        const delay = delays.percentile(99);
        delays.reset();
        return delay;
      },
    );
  }

  counter(name: string, help: string, labels: readonly string[]): Counter {
    const counter = new RegisteredCounter({ name, help, labelNames: labels, registers: [this.#registry] });
    if (labels.length === 0) counter.inc(0);
    return { inc: (values, amount = 1) => counter.inc(values, amount) };
  }

  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram {
    const histogram = new RegisteredHistogram({
      name,
      help,
      labelNames: labels,
      buckets: [...buckets],
      registers: [this.#registry],
    });
    return { observe: (values, value) => histogram.observe(values, value) };
  }

  gauge(name: string, help: string, read: GaugeReader): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  gauges(name: string, help: string, labels: readonly string[], read: GaugesReader): void {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        const now = await read();
        // What has gone since the last time must not stay.
        this.reset();
        for (const [values, value] of now) this.set(values, value);
      },
    });
  }

  beforeRead(settle: () => void): void {
    this.#unsettled.push(settle);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All values now, in Prometheus' text format. */
  text(): Promise<string> {
    for (const settle of this.#unsettled) settle();
    return this.#registry.metrics();
  }
}
