import { type ComparisonLeaf, type Condition, isPlain, type MembershipLeaf, type Operand } from './plan.ts';
import type { Constant } from './tree.ts';

type Listing = MembershipLeaf | (ComparisonLeaf & { readonly operator: '=='; readonly value: Constant });

/** Longer lists are worth a pass of their own, and copying them would take longer than a slice. */
const MERGED_MAX = 65_536;

/**
 * `f == a or f in [b, c]` becomes `f in [a, b, c]`, and in the same way `f != a and f != b` becomes
 * `f not in [a, b]`: one look-up for each row instead of one pass for each alternative, and keys that are
 * spelled out can be found by key.
 */
export function mergeAlternatives(kind: 'and' | 'or', operands: readonly Condition[]): readonly Condition[] {
  const isMergeable = (operand: Condition): operand is Listing => isListing(operand, kind);
  if (operands.filter(isMergeable).length < 2) return operands;
  const listings = new Map<string, Listing[]>();
  for (const operand of operands) {
    if (!isMergeable(operand)) continue;
    const key = keyOf(operand.operand);
    const others = listings.get(key);
    if (others === undefined) listings.set(key, [operand]);
    else others.push(operand);
  }
  const others = operands.filter((operand) => !isMergeable(operand));
  return [...[...listings.values()].flatMap(mergeListings), ...others];
}

function isListing(operand: Condition, kind: 'and' | 'or'): operand is Listing {
  if (operand.kind !== 'in' && operand.kind !== 'compare') return false;
  if (operand.kind === 'compare' && (operand.operator !== '==' || typeof operand.value === 'object'))
    return false;
  if (!isPlain(operand.operand)) return false;
  // Of JSON, `f != 1 and f != "x"` keeps nothing that is neither a number nor a text, nor one of them.
  return kind === 'or' ? !operand.negated : operand.negated && operand.operand.kind !== 'path';
}

function keyOf(operand: Operand): string {
  switch (operand.kind) {
    case 'element':
      return `${operand.field.id}[${operand.index}]`;
    case 'path':
      return `${operand.field.id}${JSON.stringify(operand.steps)}`;
    case 'column':
      return `${operand.field.id}`;
    default:
      throw new TypeError(`${operand.kind} has no list of alternatives`);
  }
}

function mergeListings(listings: readonly Listing[]): readonly Listing[] {
  const [first] = listings;
  const length = listings.reduce(
    (sum, listing) => sum + (listing.kind === 'in' ? listing.values.length : 1),
    0,
  );
  if (listings.length === 1 || length > MERGED_MAX) return listings;
  const values = listings.flatMap((listing) =>
    listing.kind === 'in' ? [...listing.values] : [listing.value],
  );
  return [{ kind: 'in', operand: first!.operand, values, negated: first!.negated }];
}
