import type { IndexBuild, VectorIndex } from '@elanus/kernel';
import { ExactVectorIndex } from '@elanus/segment/testing';
import type { IndexKernel } from '../indexing/index-worker.ts';

/** A build that waits for its test. */
export class HeldBuild {
  readonly build: IndexBuild;
  readonly #ended = Promise.withResolvers<VectorIndex>();
  index: ExactVectorIndex | null = null;

  constructor(build: IndexBuild) {
    this.build = build;
    build.signal?.addEventListener('abort', () => this.#ended.reject(build.signal!.reason), { once: true });
  }

  get rows(): number {
    return this.build.blocks.reduce((sum, { rows }) => sum + rows, 0);
  }

  get ended(): Promise<VectorIndex> {
    return this.#ended.promise;
  }

  finish(): void {
    this.index = new ExactVectorIndex(this.build);
    this.#ended.resolve(this.index);
  }

  fail(reason: Error): void {
    this.#ended.reject(reason);
  }
}

/** Builds indexes that compare with every row, each when the test says so. */
export class FakeIndexKernel implements IndexKernel {
  readonly threads = 2;
  readonly builds: HeldBuild[] = [];

  async buildIndex(build: IndexBuild): Promise<VectorIndex> {
    build.signal?.throwIfAborted();
    const held = new HeldBuild(build);
    this.builds.push(held);
    return await held.ended;
  }
}
