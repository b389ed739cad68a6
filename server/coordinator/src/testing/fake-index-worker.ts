import type { IndexId, IndexInfo, Timestamp } from '@elanus/model';
import type { IndexProgress, IndexWorker } from '@elanus/rpc';

/** Knows which indexes are open, and says of their builds what a test has told it. */
export class FakeIndexWorker implements IndexWorker {
  readonly open = new Map<IndexId, IndexInfo>();
  progress: IndexProgress = { pendingRows: 0n, pendingRowsThen: 0n, failReason: null };
  /** The time that it was last asked about. */
  askedAt: Timestamp | null = null;

  async openIndex(index: IndexInfo): Promise<void> {
    this.open.set(index.id, index);
  }

  async closeIndex(index: IndexInfo): Promise<void> {
    this.open.delete(index.id);
  }

  async indexProgress(_index: IndexInfo, at: Timestamp): Promise<IndexProgress> {
    this.askedAt = at;
    return this.progress;
  }
}
