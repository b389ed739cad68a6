import type { MethodName } from '@elanus/proto';
import type { Counter, Histogram, Metrics } from '@elanus/runtime';

/** Upper ends of the latency buckets, milliseconds: a read is well under one, a large insert some tens. */
const LATENCY_BUCKETS_MS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** How a call ended: answered with success, answered with an error, or nobody was left to answer. */
export type CallOutcome = (typeof OUTCOMES)[number];
const OUTCOMES = ['success', 'fail', 'abandon'] as const;

/** Ended calls of a method that wait for their metrics. */
const UNTOLD_CALLS_MAX = 256;

/** Notes the calls of one method. A call costs next to nothing. */
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
      const ended = new EndedCalls(name, requests, latency);
      this.#metrics.beforeRead(() => ended.settle());
      return {
        begin: () => {
          this.#inFlight += 1;
        },
        end: (outcome, durationMs) => {
          this.#inFlight -= 1;
          ended.add(outcome, durationMs);
        },
      };
    };
  }
}

/**
 * The calls of one method that have ended and that no metric knows of yet. Many are told at once: one by one the labels of
 * each are put together, hashed and looked up, 3 % of a query for keys.
 */
class EndedCalls {
  readonly #name: string;
  readonly #requests: Counter;
  readonly #latency: Histogram;
  readonly #counts: Record<CallOutcome, number> = { success: 0, fail: 0, abandon: 0 };
  readonly #durationsMs: number[] = [];

  constructor(name: string, requests: Counter, latency: Histogram) {
    this.#name = name;
    this.#requests = requests;
    this.#latency = latency;
  }

  add(outcome: CallOutcome, durationMs: number): void {
    this.#counts[outcome] += 1;
    if (this.#durationsMs.push(durationMs) === UNTOLD_CALLS_MAX) this.settle();
  }

  /** Tells the metrics of all of them. */
  settle(): void {
    for (const status of OUTCOMES) {
      const count = this.#counts[status];
      if (count > 0) this.#requests.inc({ function_name: this.#name, status }, count);
      this.#counts[status] = 0;
    }
    const method = { function_name: this.#name };
    for (const durationMs of this.#durationsMs) this.#latency.observe(method, durationMs);
    this.#durationsMs.length = 0;
  }
}
