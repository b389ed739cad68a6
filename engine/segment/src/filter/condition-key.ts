import type { Condition } from '@elanus/expr';

/** Longer keys are not worth keeping. */
const KEY_LENGTH_MAX = 4_096;

/** A filter whose constants take more is not worth spelling out. */
class TooLong extends Error {}

/**
 * A text that filters of the same meaning share: names are field ids, and operands of AND and OR stand in one order.
 * `null` for a long one, as one with a packed set is, and for one that draws rows by chance.
 */
export function conditionKey(condition: Condition): string | null {
  try {
    return keyOf(condition);
  } catch (error) {
    if (error instanceof TooLong) return null;
    throw error;
  }
}

function keyOf(condition: Condition): string {
  if (condition.kind === 'sample' || condition.kind === 'member') throw new TooLong();
  if (condition.kind !== 'and' && condition.kind !== 'or') return short(spell(condition));
  if (condition.operands.length > KEY_LENGTH_MAX) throw new TooLong();
  return short(`${condition.kind}(${condition.operands.map(keyOf).sort().join()})`);
}

function short(key: string): string {
  if (key.length > KEY_LENGTH_MAX) throw new TooLong();
  return key;
}

/** Every property, in the order in which the binder writes them. */
function spell(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return short(JSON.stringify(value));
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value) || value instanceof BigInt64Array) {
    if (value.length > KEY_LENGTH_MAX) throw new TooLong();
    return short(`[${Array.from(value, spell).join()}]`);
  }
  if ('kind' in value && value.kind === 'sample') throw new TooLong();
  if ('dataType' in value && 'typeParams' in value && 'id' in value) return `#${value.id}`;
  return short(
    `{${Object.entries(value)
      .map(([name, part]) => `${name}:${spell(part)}`)
      .join()}}`,
  );
}
