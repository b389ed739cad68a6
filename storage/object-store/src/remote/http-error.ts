import type { ObjectStoreErrorKind } from '../object-store-error.ts';

/** What an HTTP status says of a request to a bucket; without one there was no answer. */
export function kindOfStatus(status: number | undefined): ObjectStoreErrorKind {
  switch (status) {
    case undefined:
    case 408:
    case 425:
    case 429:
      return 'unavailable';
    case 401:
    case 403:
      return 'denied';
    case 404:
    case 410:
      return 'missing';
    case 412:
      return 'exists';
    case 416:
      return 'damaged';
    case 507:
      return 'full';
    default:
      return status >= 500 ? 'unavailable' : 'failed';
  }
}
