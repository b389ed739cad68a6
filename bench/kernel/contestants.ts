import type { DataSet } from './data-set.ts';
import type { Library } from './libraries.ts';
import { type OpenIndex, type PrepareOptions, Subject } from './subject.ts';

/** A library with its index of one data set. */
export interface Contestant {
  readonly subject: Subject;
  readonly index: OpenIndex;
}

export interface Contestants extends AsyncDisposable {
  readonly list: readonly Contestant[];
}

/**
 * Makes each of `libraries` ready for searches, one after the other, so that each builds alone.
 * @throws Error when none can be
 */
export async function openContestants(
  libraries: readonly Library[],
  data: DataSet,
  options: PrepareOptions,
): Promise<Contestants> {
  await using opening = new AsyncDisposableStack();
  const list: Contestant[] = [];
  for (const library of libraries) {
    try {
      const contestant = await Subject.prepare(library, data, options);
      opening.use(contestant.subject);
      list.push(contestant);
    } catch (error) {
      // One library that cannot be installed or dies must not cost the figures of all others.
      console.error(`${library.name} is left out:`, error);
    }
  }
  if (list.length === 0) throw new Error(`none of the libraries could be made ready for ${data.name}`);
  const subjects = opening.move();
  return { list, [Symbol.asyncDispose]: () => subjects.disposeAsync() };
}
