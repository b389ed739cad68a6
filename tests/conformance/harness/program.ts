import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type CommandOptions, runCommand, tail } from './command.ts';

/** A client program, ready to run: it gets the server's address as its last argument. */
export interface Program extends CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One line of a program that judges for itself: a sentence, and whether it holds. */
interface CaseLine {
  readonly case: string;
  readonly ok?: boolean;
  readonly error?: string;
  readonly skipped?: string;
}

/** One line of a program that only reports: what it did, and what it got or how that failed. */
interface StepLine {
  readonly step: string;
  readonly got?: Json;
  readonly failed?: string;
}

/** What a step must answer: a value, or a failure whose text contains `fails`. */
export type Expected = Json | { readonly fails: string };

/**
 * Runs a program that checks its own cases; each becomes a subtest. The program says at its end how
 * many cases it has, so that one that dies half-way does not pass.
 */
export async function testCases(t: TestContext, program: Program, address: string): Promise<void> {
  const { lines, output } = await run(program, address);
  for (const line of lines.filter(isCaseLine)) {
    await t.test(line.case, (t) => {
      if (line.skipped !== undefined) t.skip(line.skipped);
      else assert.ok(line.ok === true, line.error ?? 'the program gave no reason');
    });
  }
  const finished = lines.some((line) => 'finished' in line && line.finished === true);
  assert.ok(finished, `the program did not reach its end\n${output}`);
}

/**
 * Runs a program that reports its steps and compares them with a table that is the same for every
 * language. A program may leave out the steps that its client has no call for: `without` names them.
 */
export async function testSteps(
  t: TestContext,
  program: Program,
  address: string,
  expected: Readonly<Record<string, Expected>>,
  without: readonly string[] = [],
): Promise<void> {
  const { lines, output } = await run(program, address);
  const steps = lines.filter(isStepLine);
  const unknown = steps.filter(({ step }) => !(step in expected)).map(({ step }) => step);
  assert.deepEqual(unknown, [], 'steps that no table expects');
  for (const [step, wanted] of Object.entries(expected)) {
    if (without.includes(step)) continue;
    await t.test(step, () => {
      const line = steps.find((line) => line.step === step);
      assert.ok(line !== undefined, `the program did not get here\n${output}`);
      compareStep(line, wanted);
    });
  }
}

function compareStep(line: StepLine, wanted: Expected): void {
  if (!expectsFailure(wanted)) {
    assert.deepEqual(line.failed ?? line.got, wanted);
  } else {
    assert.ok(line.failed !== undefined, `should have failed, answered ${JSON.stringify(line.got)}`);
    assert.ok(line.failed.includes(wanted.fails), `${line.failed}\ndoes not say: ${wanted.fails}`);
  }
}

function expectsFailure(wanted: Expected): wanted is { readonly fails: string } {
  return typeof wanted === 'object' && wanted !== null && 'fails' in wanted;
}

async function run(program: Program, address: string) {
  const result = await runCommand(program.command, [...program.args, address], program);
  const lines = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as object);
  const output = `exit ${result.exitCode ?? result.signal}\n${tail(result.stdout)}\n${tail(result.stderr)}`;
  return { lines, output };
}

function isCaseLine(line: object): line is CaseLine {
  return 'case' in line;
}

function isStepLine(line: object): line is StepLine {
  return 'step' in line;
}
