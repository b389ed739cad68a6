import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteBudget } from './byte-budget.ts';

/** Work that ends when it is told to. */
class Work {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();

  begin(name: string): () => Promise<string> {
    return async () => {
      this.started.push(name);
      await new Promise<void>((end) => this.#ends.set(name, end));
      return name;
    };
  }

  end(name: string): void {
    this.#ends.get(name)!();
  }
}

describe('a byte budget', () => {
  it('lets work in as long as there is room, then in the order it came', async () => {
    const budget = new ByteBudget(100);
    const work = new Work();
    const a = budget.run(60, work.begin('a'));
    const b = budget.run(40, work.begin('b'));
    const c = budget.run(50, work.begin('c'));
    const d = budget.run(1, work.begin('d'));
    assert.deepEqual(work.started, ['a', 'b']);
    assert.equal(budget.bytesUsed, 100);
    work.end('b');
    await b;
    assert.deepEqual(work.started, ['a', 'b'], 'd does not pass c');
    work.end('a');
    await a;
    await Promise.resolve();
    assert.deepEqual(work.started, ['a', 'b', 'c', 'd']);
    work.end('c');
    work.end('d');
    assert.deepEqual(await Promise.all([c, d]), ['c', 'd']);
    assert.equal(budget.bytesUsed, 0);
  });

  it('lets in alone what is larger than all of it', async () => {
    const budget = new ByteBudget(10);
    assert.equal(await budget.run(1000, async () => 'done'), 'done');
  });

  it('gives room back when work fails', async () => {
    const budget = new ByteBudget(10);
    await assert.rejects(
      budget.run(10, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(budget.bytesUsed, 0);
  });
});
