import type { MetaChange, MetaStore } from '@elanus/meta-store';
import type { Random } from '@elanus/runtime';

/**
 * A catalog's store that outlives the simulated process: whole commits only, durable when they resolve. Like
 * `SimulatedDisk`, a commit takes a random number of microtasks, and calls of a mount that a crash has
 * ended never settle.
 */
export class SimulatedMetaStore {
  readonly #random: Random;
  readonly #pairs = new Map<string, Uint8Array>();
  /** Counts crashes: mounts of an earlier life do nothing any more. */
  #life = 0;
  #failure = 0;

  constructor({ random }: { readonly random: Random }) {
    this.#random = random;
  }

  /** From now on a commit is refused, and nothing of it stored, with this probability (0 to 1). */
  failCommits(probability: number): void {
    this.#failure = probability;
  }

  /** Ends all mounts. A commit under way is there whole, or not at all. */
  crash(): void {
    this.#life += 1;
  }

  /** The store as the process of one life sees it: until the next crash. */
  mount(): MetaStore {
    const life = this.#life;
    return {
      get: (key) => this.#act(life, () => this.#pairs.get(key)?.slice()),
      scan: (prefix) => this.#act(life, () => this.#scan(prefix)),
      commit: async (changes) => {
        await this.#act(life, () => this.#commit(changes));
        // A crash may come between the commit and its answer.
        await this.#act(life, () => {});
      },
      close: async () => {},
    };
  }

  #scan(prefix: string): readonly (readonly [key: string, value: Uint8Array])[] {
    const keys = [...this.#pairs.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, this.#pairs.get(key)!.slice()] as const);
  }

  #commit(changes: readonly MetaChange[]): void {
    if (this.#random.chance(this.#failure)) throw new Error('the commit is refused');
    for (const { key, value } of changes) {
      if (value === null) this.#pairs.delete(key);
      else this.#pairs.set(key, value.slice());
    }
  }

  async #act<Result>(life: number, step: () => Result): Promise<Result> {
    for (let turns = this.#random.below(8); turns > 0; turns -= 1) await null;
    if (life !== this.#life) await new Promise<never>(() => {});
    return step();
  }
}
