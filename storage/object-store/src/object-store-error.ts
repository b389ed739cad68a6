/**
 * - `missing`: there is no such object, or no such bucket.
 * - `exists`: the object is there although it should not be (`condition: 'absent'`). A verdict, not a failure.
 * - `invalid`: the key or an argument is not allowed here.
 * - `denied`: the store knows who asks, or does not, and says no.
 * - `damaged`: what came is not what was written: other bytes, or fewer than its range.
 * - `full`: no room or quota left; retriable.
 * - `unavailable`: unreachable, overloaded, too late or broken off; retriable.
 * - `failed`: anything else; trying again is not expected to help.
 */
export type ObjectStoreErrorKind =
  | 'missing'
  | 'exists'
  | 'invalid'
  | 'denied'
  | 'damaged'
  | 'full'
  | 'unavailable'
  | 'failed';

/** What an object store could not or would not do. Never the client's fault. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly kind: ObjectStoreErrorKind;
  /** The object that it is about; empty when it is about the store as a whole. */
  readonly key: string;

  constructor(kind: ObjectStoreErrorKind, key: string, message: string, cause?: unknown) {
    super(key === '' ? message : `${message} (${key})`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.key = key;
  }

  /** The same call may succeed later, without anybody's change to the request. */
  get retriable(): boolean {
    return this.kind === 'full' || this.kind === 'unavailable';
  }
}

/** Whether `error` is an object store's and of this kind. */
export function isObjectStoreError(error: unknown, kind: ObjectStoreErrorKind): error is ObjectStoreError {
  return error instanceof ObjectStoreError && error.kind === kind;
}

/** Of kind `invalid`: a body with a condition that would not go in one request. */
export function conditionalTooLarge(key: string): ObjectStoreError {
  return new ObjectStoreError('invalid', key, 'a conditional body is too large');
}
