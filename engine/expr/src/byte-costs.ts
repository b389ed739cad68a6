import { DataType, type FieldId } from '@elanus/model';
import type { LikePattern } from './like.ts';
import type { Condition, Leaf, Operand } from './plan.ts';

/** Nanoseconds for a byte of a text that is looked up in a list, goes through a pattern, or stands in a document. */
const BYTE_COST = { listed: 1, regex: 12, like: 3, document: 1.5 } as const;
/** For each byte or `_` of a run with `_` in it, which is looked for at every byte. */
const WILD_COST = 2.2;

/**
 * What a byte of a field's texts or documents may cost a filter, in nanoseconds: `costOfRow` is about short ones. Fields of
 * other types are left out.
 */
export function byteCosts(condition: Condition): ReadonlyMap<FieldId, number> {
  const costs = new Map<FieldId, number>();
  const left: Condition[] = [condition];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    if (next.kind === 'and' || next.kind === 'or') for (const operand of next.operands) left.push(operand);
    else if ('operand' in next) addCost(costs, next, next.operand);
  return costs;
}

function addCost(costs: Map<FieldId, number>, leaf: Leaf, operand: Operand): void {
  let inner = operand;
  while ('of' in inner) inner = inner.of;
  const { field } = inner;
  if (field.dataType !== DataType.VarChar && field.dataType !== DataType.JSON) return;
  const toReach = field.dataType === DataType.JSON ? BYTE_COST.document : 0;
  costs.set(field.id, (costs.get(field.id) ?? 0) + toReach + costOfText(leaf));
}

function costOfText(leaf: Leaf): number {
  if (leaf.kind === 'regex') return BYTE_COST.regex;
  if (leaf.kind === 'like') return costOfLike(leaf.pattern);
  // Comparisons mostly end at the first byte.
  return leaf.kind === 'in' || leaf.kind === 'member' ? BYTE_COST.listed : 0;
}

/** The first and the last run have one place each. */
function costOfLike({ segments }: LikePattern): number {
  const wild = segments.slice(1, -1).filter((segment) => segment.some((unit) => unit < 0));
  return BYTE_COST.like + WILD_COST * wild.reduce((sum, { length }) => sum + length, 0);
}
