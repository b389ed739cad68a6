/**
 * Whether a history of a register is linearizable: whether every operation can have happened at one moment between its
 * call and its answer, so that each read finds what the write before it wrote. By Wing and Gong, as Lowe made it quick: events
 * are gone through in their order, together with all states that the register can be in.
 */
import { type RegisterOperation, type RegisterValue, told } from './register-history.ts';

/** What the register can hold, and which of the operations under way have happened by then. */
interface Possibility {
  readonly value: RegisterValue;
  readonly done: ReadonlySet<RegisterOperation>;
}

interface Moment {
  readonly at: number;
  readonly kind: 'call' | 'answer';
  readonly operation: RegisterOperation;
}

/** More than so many states at once: there are too many clients for one register. */
const POSSIBILITIES_MAX = 100_000;

/**
 * `null` when the history is linearizable, else a sentence about the first answer that cannot be.
 * @throws Error when more operations are under way at once than can be checked
 */
export function checkRegister(
  history: readonly RegisterOperation[],
  initial: RegisterValue = 'absent',
): string | null {
  const numbers = new Map(history.map((operation, number) => [operation, number]));
  const open = new Set<RegisterOperation>();
  let possible: readonly Possibility[] = [{ value: initial, done: new Set() }];
  for (const { kind, operation } of momentsOf(history)) {
    if (kind === 'call') {
      open.add(operation);
      continue;
    }
    const reached = closure(possible, open, numbers);
    const left = reached.filter(({ done }) => done.has(operation));
    if (left.length === 0) {
      const values = [...new Set(possible.map(({ value }) => value))].join(', ');
      return `${told(operation)} cannot be: the register could hold ${values}`;
    }
    open.delete(operation);
    possible = distinct(
      left.map((one) => ({ ...one, done: without(one.done, operation) })),
      numbers,
    );
  }
  return null;
}

/** Calls and answers in their order; at the same moment calls come first, which allows more. */
function momentsOf(history: readonly RegisterOperation[]): readonly Moment[] {
  const moments = history.flatMap((operation): Moment[] => {
    const { invoked, answered, kind } = operation;
    // What a read would have found that was never answered, nobody saw.
    if (answered === null && kind === 'read') return [];
    const call: Moment = { at: invoked, kind: 'call', operation };
    return answered === null ? [call] : [call, { at: answered, kind: 'answer', operation }];
  });
  const rank = { call: 0, answer: 1 };
  return moments.sort((a, b) => a.at - b.at || rank[a.kind] - rank[b.kind]);
}

/** Everything that can be when any of the operations under way have happened, in any order. */
function closure(
  possible: readonly Possibility[],
  open: ReadonlySet<RegisterOperation>,
  numbers: ReadonlyMap<RegisterOperation, number>,
): readonly Possibility[] {
  const reached = new Map(possible.map((one) => [keyOf(one, numbers), one]));
  // A map is gone through with what is added on the way.
  for (const { value, done } of reached.values()) {
    for (const operation of open) {
      if (done.has(operation)) continue;
      if (operation.kind === 'read' && operation.value !== value) continue;
      const next: Possibility = {
        value: operation.kind === 'write' ? operation.value : value,
        done: new Set(done).add(operation),
      };
      const key = keyOf(next, numbers);
      if (!reached.has(key)) reached.set(key, next);
    }
    if (reached.size > POSSIBILITIES_MAX) throw new Error('too many operations at once to be checked');
  }
  return [...reached.values()];
}

function distinct(
  possible: readonly Possibility[],
  numbers: ReadonlyMap<RegisterOperation, number>,
): readonly Possibility[] {
  return [...new Map(possible.map((one) => [keyOf(one, numbers), one])).values()];
}

function keyOf({ value, done }: Possibility, numbers: ReadonlyMap<RegisterOperation, number>): string {
  return `${value}|${Array.from(done, (operation) => numbers.get(operation)!).sort((a, b) => a - b)}`;
}

function without(done: ReadonlySet<RegisterOperation>, operation: RegisterOperation): Set<RegisterOperation> {
  const rest = new Set(done);
  rest.delete(operation);
  return rest;
}
