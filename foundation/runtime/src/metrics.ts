/** A number that only grows. */
export interface Counter {
  inc(labels: Readonly<Record<string, string>>, amount?: number): void;
}
/** A distribution of measured values, in the unit its name ends in. */
export interface Histogram {
  observe(labels: Readonly<Record<string, string>>, value: number): void;
}
/** A value read when it is asked for. */
export type GaugeReader = () => number;

/** Where the roles register what they measure; the launcher backs it with Prometheus. */
export interface Metrics {
  counter(name: string, help: string, labels: readonly string[]): Counter;
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  gauge(name: string, help: string, read: GaugeReader): void;
}

export const noMetrics: Metrics = {
  counter: () => ({ inc: () => {} }),
  histogram: () => ({ observe: () => {} }),
  gauge: () => {},
};
