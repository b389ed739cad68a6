import type { Clock, Random } from '@elanus/runtime';
import { ObjectStoreError } from '../object-store-error.ts';

export interface RetryPolicy {
  /** Attempts altogether, 1 or more. */
  readonly attemptsMax: number;
  /** The longest wait before the second attempt; doubles with each further one. */
  readonly waitMsMin: number;
  readonly waitMsMax: number;
  /** For an answer, without the time that the bytes themselves take. */
  readonly timeoutMs: number;
  /** The slowest line that is waited for. */
  readonly bytesPerSecondMin: number;
}

export const RETRY_POLICY: RetryPolicy = {
  attemptsMax: 7,
  waitMsMin: 100,
  waitMsMax: 5_000,
  timeoutMs: 10_000,
  bytesPerSecondMin: 512 * 1024,
};

export interface RetryContext {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
}

export interface RetriedCall {
  readonly key: string;
  /** Bytes that are sent. */
  readonly bytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** When an attempt has to be over. */
export interface Deadline {
  /** Gives it the time that this many bytes may take. */
  extend(bytes: number): void;
}

/**
 * Calls `attempt` until it succeeds, fails for good, or has failed `attemptsMax` times. Each attempt has its own
 * deadline; between two there is a random wait of up to a bound that doubles, so that those who failed together do
 * not come back together.
 */
export async function withRetries<Result>(
  { policy, clock, random }: RetryContext,
  call: RetriedCall,
  attempt: (signal: AbortSignal, deadline: Deadline) => Promise<Result>,
): Promise<Result> {
  for (let failures = 0; ; ) {
    call.signal?.throwIfAborted();
    try {
      return await withDeadline(policy, clock, call, attempt);
    } catch (error) {
      call.signal?.throwIfAborted();
      failures += 1;
      const isWorthIt = error instanceof ObjectStoreError && error.retriable && failures < policy.attemptsMax;
      if (!isWorthIt) throw error;
    }
    const boundMs = Math.min(policy.waitMsMax, policy.waitMsMin * 2 ** (failures - 1));
    await clock.sleep(random.float() * boundMs, call.signal === undefined ? {} : { signal: call.signal });
  }
}

/** Settles when the attempt does or its time is over, also if the attempt does not heed its signal. */
async function withDeadline<Result>(
  { timeoutMs, bytesPerSecondMin }: RetryPolicy,
  clock: Clock,
  { key, bytes = 0, signal }: RetriedCall,
  attempt: (signal: AbortSignal, deadline: Deadline) => Promise<Result>,
): Promise<Result> {
  const lineMs = (count: number) => (count / bytesPerSecondMin) * 1_000;
  const end = new AbortController();
  const timer = new AbortController();
  const startMs = clock.monotonicMs();
  let endMs = startMs + timeoutMs + lineMs(bytes);
  const watch = async () => {
    for (let leftMs = endMs - startMs; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
      await clock.sleep(leftMs, { signal: timer.signal });
    }
    const waitedMs = Math.round(clock.monotonicMs() - startMs);
    end.abort(new ObjectStoreError('unavailable', key, `no answer within ${waitedMs} ms`));
  };
  const onAbort = () => end.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const ended = new Promise<never>((_resolve, reject) => {
    end.signal.addEventListener('abort', () => reject(end.signal.reason), { once: true });
  });
  watch().catch(() => {});
  try {
    const extend = (count: number) => {
      endMs += lineMs(count);
    };
    return await Promise.race([attempt(end.signal, { extend }), ended]);
  } finally {
    timer.abort();
    signal?.removeEventListener('abort', onAbort);
  }
}
