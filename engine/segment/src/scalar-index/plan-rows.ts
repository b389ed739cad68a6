import { type Condition, costOfRow, type Leaf } from '@elanus/expr';
import { type Probe, probeIndex } from './probe-index.ts';
import { bytesOfBits, type ScalarIndexData } from './scalar-index.ts';
import { joinBits } from './value-lists.ts';

/** Nanoseconds to test one row that indexes have named, beside what the test itself costs. */
export const TEST_COST = 200;
/** To go through 8 rows of a bitmap. */
const BYTE_COST = 0.3;
/** What asking indexes costs in any case: the tables and bitmaps that it makes. */
const START_COST = 20_000;
/** Terms of one AND or OR that indexes are asked about: each may look through all of them. */
const TERMS_MAX = 64;

/**
 * The cheapest way to find the rows of a filter by indexes over the same rows; `null` when going through all rows is
 * cheaper, or the only way.
 */
export function planRows(condition: Condition, indexes: readonly ScalarIndexData[]): Probe | null {
  const rows = indexes[0]?.rows ?? 0;
  const probe = rows === 0 ? null : planCondition(condition, indexes);
  if (probe === null) return null;
  const costOfTest = costOfRow(condition);
  const tests = probe.isExact ? 0 : Math.min(probe.rows, rows) * (TEST_COST + costOfTest);
  const isCheaper = START_COST + probe.cost + tests < rows * (1 + costOfTest);
  return isCheaper ? probe : null;
}

/** The cheapest way by indexes alone, whatever going through all rows would cost; `null` when there is none. */
export function planCondition(condition: Condition, indexes: readonly ScalarIndexData[]): Probe | null {
  switch (condition.kind) {
    case 'always':
      return null;
    case 'never':
      return NOTHING;
    case 'and':
      return planAnd(condition.operands, indexes);
    case 'or':
      return planOr(condition.operands, indexes);
    default:
      return planLeaf(condition, indexes);
  }
}

const NOTHING: Probe = { cost: 0, rows: 0, isExact: true, *marking() {} };

function planLeaf(leaf: Leaf, indexes: readonly ScalarIndexData[]): Probe | null {
  let best: Probe | null = null;
  for (const index of indexes) {
    const probe = probeIndex(index, leaf);
    if (probe !== null && (best === null || fullCost(probe, leaf) < fullCost(best, leaf))) best = probe;
  }
  return best;
}

function fullCost({ cost, rows, isExact }: Probe, leaf: Leaf): number {
  return isExact ? cost : cost + rows * (TEST_COST + costOfRow(leaf));
}

/** The most selective terms that indexes answer; what is left over is tested. */
function planAnd(operands: readonly Condition[], indexes: readonly ScalarIndexData[]): Probe | null {
  const bytes = bytesOfBits(indexes[0]!.rows);
  const probes = operands.slice(0, TERMS_MAX).map((operand) => planCondition(operand, indexes));
  const known = probes.filter((probe) => probe !== null).sort((a, b) => a.rows - b.rows);
  const first = known[0];
  if (first === undefined) return null;
  const isWhole = known.length === operands.length && known.every(({ isExact }) => isExact);
  const costOfTest = TEST_COST + operands.reduce((sum, operand) => sum + costOfRow(operand), 0);
  const used = [first];
  let { rows, cost } = first;
  for (const probe of known.slice(1)) {
    const left = rows * Math.min(1, probe.rows / indexes[0]!.rows);
    const saved = isWhole ? rows * costOfTest : (rows - left) * costOfTest;
    const price = probe.cost + 2 * bytes * BYTE_COST;
    // One term that is left out makes tests of all.
    if (price >= saved) break;
    used.push(probe);
    rows = left;
    cost += price;
  }
  const isExact = isWhole && used.length === known.length;
  if (used.length === 1) return { ...first, isExact: isExact && first.isExact };
  return { cost, rows, isExact, marking: (bits) => markingCommon(used, bits) };
}

/** On the side, because what is there may be of other terms of an OR. */
function* markingCommon(probes: readonly Probe[], bits: Uint8Array): Generator<undefined, void> {
  const common = new Uint8Array(bits.length);
  const other = new Uint8Array(bits.length);
  const [first, ...others] = probes;
  yield* first!.marking(common);
  for (const probe of others) {
    other.fill(0);
    yield* probe.marking(other);
    for (let i = 0; i < bits.length; i++) common[i]! &= other[i]!;
    yield;
  }
  joinBits(bits, common);
}

/** Every term has to be answered by an index: rows of the others are anywhere. */
function planOr(operands: readonly Condition[], indexes: readonly ScalarIndexData[]): Probe | null {
  if (operands.length > TERMS_MAX) return null;
  const probes: Probe[] = [];
  for (const operand of operands) {
    const probe = planCondition(operand, indexes);
    if (probe === null) return null;
    probes.push(probe);
  }
  return {
    cost: probes.reduce((sum, { cost }) => sum + cost, 0),
    rows: probes.reduce((sum, { rows }) => sum + rows, 0),
    isExact: probes.every(({ isExact }) => isExact),
    *marking(bits) {
      for (const probe of probes) yield* probe.marking(bits);
    },
  };
}
