/** Wall time, injected so that a test can hold it, move it and turn it back. */
export interface Clock {
  /** Unix milliseconds; may step back. */
  nowMs(): number;
  /** Resolves after `ms`, rejects with the signal's reason when it aborts first. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
