import { ObjectStoreError, type ObjectStoreErrorKind } from '../object-store-error.ts';
import { kindOfStatus } from '../remote/http-error.ts';

/** What S3 and its likes call their refusals, where the status alone does not tell. */
const KIND_BY_NAME: Readonly<Record<string, ObjectStoreErrorKind>> = {
  NoSuchKey: 'missing',
  NoSuchBucket: 'missing',
  NoSuchUpload: 'missing',
  NotFound: 'missing',
  PreconditionFailed: 'exists',
  InvalidRange: 'damaged',
  AccessDenied: 'denied',
  InvalidAccessKeyId: 'denied',
  SignatureDoesNotMatch: 'denied',
  CredentialsProviderError: 'denied',
  // The clock of the machine is wrong; another attempt has the same.
  RequestTimeTooSkewed: 'denied',
  // What arrived was not what was sent.
  BadDigest: 'unavailable',
  // A conditional write raced another: only a failed precondition is a verdict.
  ConditionalRequestConflict: 'unavailable',
  OperationAborted: 'unavailable',
  SlowDown: 'unavailable',
  RequestTimeout: 'unavailable',
  QuotaExceeded: 'full',
  XMinioStorageFull: 'full',
};

/** What the SDK threw, as ours. */
export function s3Error(key: string, error: unknown): ObjectStoreError {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const kind = KIND_BY_NAME[name] ?? kindOfStatus($metadata?.httpStatusCode);
  return new ObjectStoreError(
    kind,
    key,
    message === name || message === '' ? name : `${name}: ${message}`,
    error,
  );
}
