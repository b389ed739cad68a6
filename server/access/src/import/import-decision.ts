import { importFailed } from '@elanus/model';

/** What is told of an import that somebody has given up. */
export const GIVEN_UP = importFailed('aborted by user');

/** Whether the rows of an import become visible. The first word counts; as long as there is none, rows may wait for it. */
export class ImportDecision {
  readonly #givenUp = new AbortController();
  readonly #committed = Promise.withResolvers<void>();
  #word: 'commit' | 'give up' | null = null;

  constructor() {
    // Nobody need be waiting.
    this.#committed.promise.catch(() => {});
  }

  /** Aborted, with what is told of the import, when it is given up. */
  get signal(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Resolves when the rows are to become visible. @throws why they are not */
  get committed(): Promise<void> {
    return this.#committed.promise;
  }

  /** Claims that the rows become visible; false when the import was given up. `letGo` lets who waits go on. */
  commit(): boolean {
    this.#word ??= 'commit';
    return this.#word === 'commit';
  }

  letGo(): void {
    this.#committed.resolve();
  }

  /** Ends the import wherever it is; false when its rows become visible already. */
  giveUp(): boolean {
    this.#word ??= 'give up';
    if (this.#word === 'commit') return false;
    this.stop(GIVEN_UP);
    return true;
  }

  /** Ends what this process does for the import. */
  stop(reason: Error): void {
    this.#committed.reject(reason);
    this.#givenUp.abort(reason);
  }
}
