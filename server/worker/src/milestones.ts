/** A number that grows, and those who wait for it to reach another. */
export class Milestones {
  #newest: number;
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];

  constructor(first: number) {
    this.#newest = first;
  }

  hasReached(at: number): boolean {
    return at <= this.#newest;
  }

  /** Resolves once the number is at least `at`. */
  async reached(at: number): Promise<void> {
    if (this.hasReached(at)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ at, resolve });
    await promise;
  }

  /** Lower numbers than the newest change nothing. */
  reach(newest: number): void {
    this.#newest = Math.max(this.#newest, newest);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ at }) => !this.hasReached(at));
    for (const { at, resolve } of waiting) if (this.hasReached(at)) resolve();
  }
}
