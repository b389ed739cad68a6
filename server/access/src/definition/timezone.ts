import type { CollectionInfo } from '@elanus/model';
import { lastValueOf } from './key-values.ts';

/** The zone of instants that are written without an offset, and of those that are returned. */
export function timeZoneOf({ properties }: Pick<CollectionInfo, 'properties'>): string {
  const name = lastValueOf(properties, 'timezone');
  return name !== undefined && isTimezone(name) ? name : DEFAULT;
}

const DEFAULT = 'UTC';

/** Whether `name` is a time zone of IANA's, for example `Europe/Vienna`. */
export function isTimezone(name: string): boolean {
  if (name === DEFAULT) return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
