import type { IndexHits, IndexSave, IndexSearch, IndexVerify, VectorIndex } from '@elanus/kernel';
import { assert } from '@elanus/model';
import type { UsedFile } from '@elanus/segment';

/**
 * An index in a file whose bytes may be elsewhere while nobody uses them. Nothing else has the index, so nobody can search
 * what is not there; and what a call has begun uses the bytes until it has ended, whether somebody still waits for it or not.
 */
export class UsedIndex implements VectorIndex {
  readonly rows: number;
  readonly memoryBytes: number;
  readonly layout: VectorIndex['layout'];
  readonly crowdThreads: number;
  readonly #index: VectorIndex;
  readonly #content: UsedFile;

  /** Owns `index`, which is there as long as somebody uses `content`. */
  constructor(index: VectorIndex, content: UsedFile) {
    this.rows = index.rows;
    this.memoryBytes = index.memoryBytes;
    this.layout = index.layout;
    this.crowdThreads = index.crowdThreads;
    this.#index = index;
    this.#content = content;
  }

  search(search: IndexSearch): Promise<IndexHits> {
    return this.#used(() => this.#index.search(search));
  }

  searchSync(search: IndexSearch): IndexHits {
    return this.#there().searchSync(search);
  }

  sparseStatistics(dimensions: Uint32Array): ReturnType<VectorIndex['sparseStatistics']> {
    return this.#there().sparseStatistics(dimensions);
  }

  save(path: string, save?: IndexSave): Promise<void> {
    return this.#used(() => this.#index.save(path, save));
  }

  verify(verify?: IndexVerify): Promise<void> {
    return this.#used(() => this.#index.verify(verify));
  }

  close(): void {
    this.#index.close();
  }

  #there(): VectorIndex {
    assert(this.#content.isThere, 'an index is searched by who uses its file');
    return this.#index;
  }

  async #used<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#there();
    void this.#content.use();
    try {
      return await work();
    } finally {
      this.#content.leave();
    }
  }
}
