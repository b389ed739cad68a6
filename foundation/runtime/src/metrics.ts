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
type Labelled = readonly [labels: Readonly<Record<string, string>>, value: number];
export type GaugesReader = () => Iterable<Labelled> | Promise<Iterable<Labelled>>;

/** Where the roles register what they measure; the launcher backs it with Prometheus. */
export interface Metrics {
  counter(name: string, help: string, labels: readonly string[]): Counter;
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  gauge(name: string, help: string, read: GaugeReader): void;
  /** Several values of one kind, told apart by labels, all read when one is asked for. */
  gauges(name: string, help: string, labels: readonly string[], read: GaugesReader): void;
  /** `settle` is called before values are read: what is measured too often to be told at once is told then. */
  beforeRead(settle: () => void): void;
}

export const noMetrics: Metrics = {
  counter: () => ({ inc: () => {} }),
  histogram: () => ({ observe: () => {} }),
  gauge: () => {},
  gauges: () => {},
  beforeRead: () => {},
};
