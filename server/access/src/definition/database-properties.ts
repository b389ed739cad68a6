import { invalidParameter, type KeyValue, serviceUnimplemented, unexpectedParameter } from '@elanus/model';
import { isTrue } from './key-values.ts';
import { isTimezone } from './timezone.ts';

/** What the value of a property has to look like, in words and as an expression. */
interface Form {
  readonly expected: string;
  readonly pattern: RegExp;
}

const BOOLEAN: Form = { expected: 'true or false', pattern: /^(true|false)$/i };
const COUNT: Form = { expected: 'a positive integer', pattern: /^0*[1-9]\d{0,8}$/ };
const MEGABYTES: Form = { expected: 'a number of megabytes', pattern: /^-1$|^\d{1,15}(\.\d{1,9})?$/ };

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['database.replica.number', COUNT],
  ['database.max.collections', COUNT],
  ['database.diskQuota.mb', MEGABYTES],
]);
const DENIAL = /^database\.force\.deny\./;

/** Properties are free; those that have a meaning need a value that has one. @throws MilvusError 1100, 10 */
export function checkDatabaseProperties(properties: readonly KeyValue[]): void {
  for (const { key, value } of properties) checkDatabaseProperty(key, value);
}

function checkDatabaseProperty(key: string, value: string): void {
  if (key === 'timezone' && !isTimezone(value)) {
    throw invalidParameter(`unknown or invalid IANA Time Zone ID: ${value}`);
  }
  // To take it and store rows in the clear would be a lie.
  if (key === 'cipher.enabled' && isTrue(value)) throw serviceUnimplemented(key);
  const form = DENIAL.test(key) ? BOOLEAN : FORMS.get(key);
  if (form === undefined || form.pattern.test(value)) return;
  throw unexpectedParameter(form.expected, value, `invalid value of the database property ${key}`);
}
