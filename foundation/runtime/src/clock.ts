/** Wall time, injected so that a test can hold it, move it and turn it back. */
export interface Clock {
  /** Unix milliseconds, whole; may step back. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start, fractional; never steps back. For measuring durations. */
  monotonicMs(): number;
  /** Resolves after `ms`, rejects with the signal's reason when it aborts first. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
