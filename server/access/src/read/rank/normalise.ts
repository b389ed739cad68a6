import { type MetricType, metricOrder } from '@elanus/model';

/** A score between 0 and 1, the larger the better, as Milvus works it out for each metric. */
export function normalisedScore(score: number, metric: MetricType): number {
  if (metricOrder(metric) === 'ascending') return closeness(score);
  switch (metric) {
    case 'COSINE':
      return (1 + score) / 2;
    case 'BM25':
      return (2 * Math.atan(score)) / Math.PI;
    default:
      return 0.5 + Math.atan(score) / Math.PI;
  }
}

/** The score itself where a larger one is better, and 0 to 1 out of a distance. */
export function risingScore(score: number, metric: MetricType): number {
  return metricOrder(metric) === 'ascending' ? closeness(score) : score;
}

function closeness(distance: number): number {
  return 1 - (2 * Math.atan(distance)) / Math.PI;
}
