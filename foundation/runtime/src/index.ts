export type { Clock } from './clock.ts';
export { type Logger, silentLogger } from './logger.ts';
export { type Counter, type GaugeReader, type Histogram, type Metrics, noMetrics } from './metrics.ts';
export type { TimestampSource } from './timestamp-source.ts';
