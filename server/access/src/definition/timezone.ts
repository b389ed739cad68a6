import { type CollectionInfo, lastValueOf } from '@elanus/model';

const DEFAULT = 'UTC';

/** The zone of instants that are written without an offset, and of those that are returned. */
export function timeZoneOf({ properties }: Pick<CollectionInfo, 'properties'>, otherwise = DEFAULT): string {
  const name = lastValueOf(properties, 'timezone');
  return name !== undefined && isTimezone(name) ? name : otherwise;
}

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
