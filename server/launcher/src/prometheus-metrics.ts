import type { Counter, GaugeReader, Histogram, Metrics } from '@elanus/runtime';
import {
  collectDefaultMetrics,
  Gauge,
  Counter as RegisteredCounter,
  Histogram as RegisteredHistogram,
  Registry,
} from 'prom-client';

/** The metrics of one server, as Prometheus reads them, with those of the process and of its event loop. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();

  constructor() {
    // Among others: CPU, resident memory, open files, garbage collection, event-loop delay (p50 to p99, max).
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 });
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

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All values now, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
