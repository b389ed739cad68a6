import { ObjectStoreError } from '../object-store-error.ts';
import { kindOfStatus } from '../remote/http-error.ts';

/** What Google's library threw, as ours. */
export function gcsError(key: string, error: unknown): ObjectStoreError {
  const { code, message } = error as Error & { code?: number | string };
  // Words instead of a status are those of the system: no connection.
  const status = typeof code === 'number' ? code : Number(code);
  const kind = kindOfStatus(Number.isInteger(status) ? status : undefined);
  return new ObjectStoreError(kind, key, message.split('\n', 1)[0] || 'request failed', error);
}
