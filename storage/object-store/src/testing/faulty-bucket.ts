import type { Random } from '@elanus/runtime';
import { ObjectStoreError } from '../object-store-error.ts';
import type { AttemptOptions, Bucket, BucketUpload } from '../remote/bucket.ts';

/** How often what goes wrong, each 0 to 1. */
export interface Faults {
  /** The request never reaches the service. */
  readonly lost: number;
  /** The service does it, and its answer is lost. */
  readonly answerLost: number;
  /** No answer until the caller gives up; the service may have done it. */
  readonly silent: number;
}

/** A bucket behind a bad line. All faults follow from `random`. */
export function faultyBucket(bucket: Bucket, faults: Faults, random: Random): Bucket {
  const call = <Result>({ signal }: AttemptOptions, work: () => Promise<Result>) =>
    overBadLine(work, signal, faults, random);
  return {
    place: bucket.place,
    limits: bucket.limits,
    prepare: (options) => call(options, () => bucket.prepare(options)),
    put: (key, bytes, options) => call(options, () => bucket.put(key, bytes, options)),
    get: (key, options) => call(options, () => bucket.get(key, options)),
    head: (key, options) => call(options, () => bucket.head(key, options)),
    list: (options) => call(options, () => bucket.list(options)),
    deleteMany: (keys, options) => call(options, () => bucket.deleteMany(keys, options)),
    beginUpload: (key, options) =>
      call(options, async (): Promise<BucketUpload> => {
        const upload = await bucket.beginUpload(key, options);
        return {
          putPart: (index, bytes, attempt) => call(attempt, () => upload.putPart(index, bytes, attempt)),
          complete: (attempt) => call(attempt, () => upload.complete(attempt)),
          abort: (attempt) => call(attempt, () => upload.abort(attempt)),
        };
      }),
    close: () => bucket.close(),
  };
}

async function overBadLine<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  { lost, answerLost, silent }: Faults,
  random: Random,
): Promise<Result> {
  const broken = () => new ObjectStoreError('unavailable', '', 'injected: the line broke');
  if (random.chance(lost)) throw broken();
  if (random.chance(silent)) {
    if (random.chance(0.5)) await work();
    await new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
  const result = await work();
  if (random.chance(answerLost)) throw broken();
  return result;
}
