const WIDTH = 40;

/** How far a long loop is: a bar on a terminal, a line every tenth elsewhere. */
export class ProgressBar implements Disposable {
  readonly #title: string;
  readonly #total: number;
  readonly #startedMs = performance.now();
  #done = 0;
  #printedTenths = 0;

  constructor(title: string, total: number) {
    this.#title = title;
    this.#total = total;
  }

  advance(count: number): void {
    this.#done += count;
    const share = this.#total === 0 ? 1 : this.#done / this.#total;
    const perSecond = Math.round(this.#done / ((performance.now() - this.#startedMs) / 1000));
    const figures = `${this.#done.toLocaleString('en')} of ${this.#total.toLocaleString('en')}, ${perSecond.toLocaleString('en')}/s`;
    if (process.stdout.isTTY) {
      const filled = Math.round(share * WIDTH);
      process.stdout.write(
        `\r${this.#title} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${figures} `,
      );
    } else if (Math.floor(share * 10) > this.#printedTenths) {
      this.#printedTenths = Math.floor(share * 10);
      console.log(`${this.#title} ${Math.round(share * 100)} %: ${figures}`);
    }
  }

  [Symbol.dispose](): void {
    if (process.stdout.isTTY) process.stdout.write('\n');
  }
}
