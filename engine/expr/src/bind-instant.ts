import type { BindContext, Bound } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { parseInstant } from './instant.ts';
import { addInterval, type Interval, oppositeInterval } from './interval.ts';
import type { Operand } from './plan.ts';
import { kindOfOperand } from './value-type.ts';

/** Whether `bound` is a literal that has a meaning beside a Timestamptz field only. */
export function isTime(bound: Bound): boolean {
  return bound.kind === 'instant' || bound.kind === 'interval';
}

/** @throws FilterError when `bound`, printed so, is no Timestamptz field with or without an interval */
export function requireInstant(bound: Bound, printed: string): Operand {
  if (bound.kind === 'operand') {
    if (kindOfOperand(bound.operand) === 'instant') return bound.operand;
    throw new FilterError(`field '${printed}' is not a timestamptz datatype`);
  }
  throw new FilterError(`can not translate identifier: ${printed}`);
}

/** The microseconds that a literal or a text says; `undefined` for all else. */
export function instantOf(context: BindContext, bound: Bound): bigint | undefined {
  if (bound.kind === 'instant') return bound.microseconds;
  if (bound.kind !== 'constant' || typeof bound.value !== 'string') return undefined;
  return parseInstant(bound.value, context.timeZone, bound.phase);
}

/** `field + INTERVAL '...'`. */
export function bindShift(field: Bound, printed: string, operator: string, interval: Interval): Operand {
  const operand = requireInstant(field, printed);
  if (operator !== '+' && operator !== '-')
    throw new FilterError(`an interval can only be added or subtracted, but got: ${operator}`);
  if (operand.kind === 'shifted')
    throw new FilterError('complicated arithmetic operations are not supported');
  if (operand.kind !== 'column') throw new FilterError(`can not translate identifier: ${printed}`);
  return { kind: 'shifted', of: operand, by: operator === '+' ? interval : oppositeInterval(interval) };
}

/**
 * The operand that is left to compare with `instants`, and these: an interval without months changes sides, for its
 * length is the same in every row.
 */
export function unshift<Instants extends readonly bigint[]>(
  operand: Operand,
  ...instants: Instants
): { operand: Operand; instants: Instants } {
  if (operand.kind !== 'shifted' || operand.by.months !== 0) return { operand, instants };
  const back = oppositeInterval(operand.by);
  return { operand: operand.of, instants: instants.map((instant) => addInterval(instant, back)) as never };
}
