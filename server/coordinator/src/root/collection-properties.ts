import { type DuplicateKeyPolicy, type KeyValue, lastValueOf, unexpectedParameter } from '@elanus/model';

/** What an insert of an existing primary key does. */
export const DUPLICATE_KEY_PROPERTY = 'elanus.duplicate_key';
const TIMEZONE_PROPERTY = 'timezone';
const TIMEZONE_DEFAULT = 'UTC';

const DUPLICATE_KEY_POLICIES: readonly DuplicateKeyPolicy[] = ['replace', 'reject', 'keep'];

/**
 * The policy that the properties ask for, `replace` when they do not say.
 * @throws MilvusError 1100 on any other word
 */
export function duplicateKeyPolicy(properties: readonly KeyValue[]): DuplicateKeyPolicy {
  const asked = lastValueOf(properties, DUPLICATE_KEY_PROPERTY);
  if (asked === undefined) return 'replace';
  const policy = DUPLICATE_KEY_POLICIES.find((known) => known === asked.toLowerCase());
  if (policy === undefined) {
    throw unexpectedParameter(
      DUPLICATE_KEY_POLICIES.join(', '),
      asked,
      `invalid value of the collection property ${DUPLICATE_KEY_PROPERTY}`,
    );
  }
  return policy;
}

/** `undefined` when the properties name none. */
export function timezoneOf(properties: readonly KeyValue[]): string | undefined {
  return lastValueOf(properties, TIMEZONE_PROPERTY);
}

/** The client's properties with the time zone that every collection is described with. */
export function withTimezone(
  properties: readonly KeyValue[],
  timezone: string | undefined,
): readonly KeyValue[] {
  if (timezoneOf(properties) !== undefined) return properties;
  return [...properties, { key: TIMEZONE_PROPERTY, value: timezone ?? TIMEZONE_DEFAULT }];
}
