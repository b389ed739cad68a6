import { DataType } from '@elanus/model';
import type { Condition } from './plan.ts';
import type { ColumnSource } from './predicate.ts';
import { textRows } from './text-leaf.ts';

/** Whether a row matches. */
export type RowTest = (row: number) => boolean;

/** Makes the test of the rows of some columns. */
export type RowTester = (source: ColumnSource) => RowTest;

/**
 * Tests rows one by one, for those who look at few of many: of a filter that asks about nothing but whole texts. `null` for
 * every other one, whose rows are tested no sooner in this way than in runs of one.
 */
export function rowTester(condition: Condition): RowTester | null {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const testers: RowTester[] = [];
      for (const operand of condition.operands) {
        const tester = rowTester(operand);
        if (tester === null) return null;
        testers.push(tester);
      }
      return joined(condition.kind, testers);
    }
    case 'compare':
    case 'range':
    case 'in':
    case 'like':
    case 'regex': {
      const { operand } = condition;
      const isOfTexts = operand.kind === 'column' && operand.field.dataType === DataType.VarChar;
      return isOfTexts ? textRows(condition, operand.field) : null;
    }
    default:
      return null;
  }
}

function joined(kind: 'and' | 'or', testers: readonly RowTester[]): RowTester {
  return (source) => {
    const tests = testers.map((tester) => tester(source));
    return kind === 'and'
      ? (row) => tests.every((test) => test(row))
      : (row) => tests.some((test) => test(row));
  };
}
