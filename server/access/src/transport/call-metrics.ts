import type { MethodName } from '@elanus/proto';
import type { Metrics } from '@elanus/runtime';

/** Upper ends of the latency buckets, milliseconds: a read is well under one, a large insert some tens. */
const LATENCY_BUCKETS_MS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** How a call ended: answered with success, answered with an error, or nobody was left to answer. */
export type CallOutcome = 'success' | 'fail' | 'abandon';

/** Notes the calls of one method. Cheap: about 0.3 µs a call. */
export interface MethodMetrics {
  begin(): void;
  /** `durationMs` since `begin`. */
  end(outcome: CallOutcome, durationMs: number): void;
}

/** Requests, latencies and calls in flight, under the names that Milvus' dashboards read. */
export class CallMetrics {
  readonly #metrics: Metrics;
  #inFlight = 0;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    metrics.gauge('milvus_proxy_req_in_flight', 'Calls that wait for their answer', () => this.#inFlight);
  }

  /** Calls that have begun and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The function that makes the notes of each method. */
  ofMethods(): (name: MethodName) => MethodMetrics {
    const requests = this.#metrics.counter('milvus_proxy_req_count', 'Calls by method and outcome', [
      'function_name',
      'status',
    ]);
    const latency = this.#metrics.histogram(
      'milvus_proxy_req_latency',
      'Milliseconds from the whole request to its answer',
      ['function_name'],
      LATENCY_BUCKETS_MS,
    );
    return (name) => {
      const method = { function_name: name };
      const labels: Readonly<Record<CallOutcome, Readonly<Record<string, string>>>> = {
        success: { function_name: name, status: 'success' },
        fail: { function_name: name, status: 'fail' },
        abandon: { function_name: name, status: 'abandon' },
      };
      return {
        begin: () => {
          this.#inFlight += 1;
        },
        end: (outcome, durationMs) => {
          this.#inFlight -= 1;
          requests.inc(labels[outcome]);
          latency.observe(method, durationMs);
        },
      };
    };
  }
}
