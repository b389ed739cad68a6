import { diskFull } from '@elanus/model';
import { type Disk, DiskError, type Logger } from '@elanus/runtime';
import { Journal } from './journal.ts';
import type { Frame, JournalContent } from './journal-format.ts';
import { applyChanges, lastSequence, mergeJournals } from './merge-journals.ts';
import type { MetaChange, MetaStore } from './meta-store.ts';
import { pairsOfLmdb, removeLmdb } from './take-over-lmdb.ts';

export interface MetaStoreOptions {
  readonly disk: Disk;
  /** Made when it is not there. Opened by one process at a time. */
  readonly directory: string;
  readonly logger: Logger;
  /** A journal is begun anew when it has so many bytes, and four times those of its snapshot. Default: 1 MiB. */
  readonly journalBytesMin?: number;
}

const JOURNAL_NAMES = ['catalog.1', 'catalog.2'] as const;
const JOURNAL_BYTES_MIN = 1024 * 1024;
const SNAPSHOT_RATIO_MAX = 4;
/** Commits written together. */
const GROUP_MAX = 1_000;

interface QueuedCommit {
  readonly changes: readonly MetaChange[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens the catalog in `directory`: all of it in memory, and every commit in two files, each of which is enough to have
 * it again. A file that is missing, cut short or damaged is made anew from the other. A full disk rejects a commit with
 * code 7, and nothing of it is there.
 * @throws Error when a newer build has written the files; DiskError when they can't be written
 */
export async function openMetaStore(options: MetaStoreOptions): Promise<MetaStore> {
  const { disk, directory, logger } = options;
  await disk.createDirectory(directory);
  const journals = JOURNAL_NAMES.map((name) => new Journal(disk, directory, name));
  const found = await Promise.all(journals.map((journal) => journal.read()));
  const { pairs, sequence, lost } = mergeJournals(found);
  if (lost.length > 0)
    logger.error({ commits: lost.map(String) }, 'both copies of the catalog are damaged: commits are lost');
  const isNew = found.every((content) => content === null);
  const taken = isNew ? await pairsOfLmdb(disk, directory, logger) : null;
  for (const [key, value] of taken ?? []) pairs.set(key, value);
  const isIncomplete = lost.length > 0;
  const store = new MirroredMetaStore(journals, { pairs, sequence, isIncomplete, options });
  try {
    await store.mend(found);
    if (taken !== null) await removeLmdb(disk, directory);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class MirroredMetaStore implements MetaStore {
  readonly isIncomplete: boolean;
  readonly #journals: readonly Journal[];
  readonly #pairs: Map<string, Uint8Array>;
  readonly #logger: Logger;
  readonly #journalBytesAlways: number;
  #journalBytesMin: number;
  #sequence: bigint;
  #queue: QueuedCommit[] = [];
  /** The loop that empties the queue; `null` when there is nothing to do. */
  #loop: Promise<void> | null = null;
  /** A journal may hold what was rejected: both are rewritten before anything else is written. */
  #isDoubtful = false;
  #isClosed = false;

  constructor(
    journals: readonly Journal[],
    {
      pairs,
      sequence,
      isIncomplete,
      options,
    }: {
      readonly pairs: Map<string, Uint8Array>;
      readonly sequence: bigint;
      readonly isIncomplete: boolean;
      readonly options: MetaStoreOptions;
    },
  ) {
    this.#journals = journals;
    this.#pairs = pairs;
    this.#sequence = sequence;
    this.isIncomplete = isIncomplete;
    this.#logger = options.logger;
    this.#journalBytesAlways = options.journalBytesMin ?? JOURNAL_BYTES_MIN;
    this.#journalBytesMin = this.#journalBytesAlways;
  }

  /** Makes both journals whole and equal, one after the other, so that there is always one that has everything. */
  async mend(found: readonly (JournalContent | null)[]): Promise<void> {
    const isNew = found.every((content) => content === null);
    for (const [at, journal] of this.#journals.entries()) {
      const content = found[at] ?? null;
      if (!isNew) this.#report(journal, content);
      if (content !== null && content.rest !== 'damaged' && lastSequence(content) === this.#sequence)
        await journal.continue(content);
      else await this.#rewriteIfThereIsRoom(journal);
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = this.#pairs.get(key);
    return value && new Uint8Array(value);
  }

  async scan(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    const keys = [...this.#pairs.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, new Uint8Array(this.#pairs.get(key)!)] as const);
  }

  async commit(changes: readonly MetaChange[]): Promise<void> {
    if (this.#isClosed) throw new Error('the meta store is closed');
    const own = changes.map(({ key, value }) => ({
      key,
      value: value === null ? null : new Uint8Array(value),
    }));
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ changes: own, resolve, reject });
      this.#loop ??= this.#run();
    });
  }

  /** Waits for the commits under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loop;
    await Promise.all(this.#journals.map((journal) => journal.close()));
  }

  async #run(): Promise<void> {
    await null;
    while (this.#queue.length > 0) await this.#write(this.#queue.splice(0, GROUP_MAX));
    this.#loop = null;
  }

  async #write(group: readonly QueuedCommit[]): Promise<void> {
    const frames = group.map(
      ({ changes }, at): Frame => ({ kind: 'commit', sequence: this.#sequence + BigInt(at + 1), changes }),
    );
    try {
      if (this.#isDoubtful) await this.#rewriteAll();
      else if (this.#areLong) await this.#shorten();
      await this.#append(frames);
    } catch (error) {
      const reason = error instanceof DiskError && error.kind === 'full' ? diskFull(error) : error;
      for (const { reject } of group) reject(reason);
      return;
    }
    for (const [at, { resolve }] of group.entries()) {
      applyChanges(this.#pairs, frames[at]!);
      resolve();
    }
    this.#sequence += BigInt(group.length);
  }

  /** On both journals, or, when it rejects, on none. */
  async #append(frames: readonly Frame[]): Promise<void> {
    const written = await Promise.allSettled(this.#journals.map((journal) => journal.append(frames)));
    const failure = written.find((outcome) => outcome.status === 'rejected');
    if (failure === undefined) {
      for (const outcome of written) if (outcome.status === 'fulfilled') outcome.value();
      return;
    }
    this.#isDoubtful = true;
    // After another error than a full disk nobody knows what a file holds.
    const isFull = written.every(
      (outcome) =>
        outcome.status === 'fulfilled' ||
        (outcome.reason instanceof DiskError && outcome.reason.kind === 'full'),
    );
    try {
      if (isFull) await Promise.all(this.#journals.map((journal) => journal.takeBack()));
      else await this.#rewriteAll();
      this.#isDoubtful = false;
    } catch (error) {
      this.#logger.error({ err: error }, 'the catalog can’t be written');
    }
    throw failure.reason;
  }

  async #rewriteAll(): Promise<void> {
    for (const journal of this.#journals) await journal.rewrite(this.#snapshot());
    this.#isDoubtful = false;
  }

  /** A journal that stays long does no harm. */
  async #shorten(): Promise<void> {
    try {
      await this.#rewriteAll();
      this.#journalBytesMin = this.#journalBytesAlways;
    } catch (error) {
      this.#journalBytesMin *= 2;
      this.#logger.warn({ err: error }, 'the files of the catalog could not be made shorter');
    }
  }

  /** Without it the catalog can be read, and is written again when there is room. */
  async #rewriteIfThereIsRoom(journal: Journal): Promise<void> {
    try {
      await journal.rewrite(this.#snapshot());
    } catch (error) {
      if (!(error instanceof DiskError) || error.kind !== 'full') throw error;
      this.#isDoubtful = true;
    }
  }

  get #areLong(): boolean {
    return this.#journals.some(
      ({ bytes, snapshotBytes }) =>
        bytes >= Math.max(this.#journalBytesMin, SNAPSHOT_RATIO_MAX * snapshotBytes),
    );
  }

  #snapshot(): Frame {
    const changes = [...this.#pairs].map(([key, value]) => ({ key, value }));
    return { kind: 'snapshot', sequence: this.#sequence, changes };
  }

  #report(journal: Journal, content: JournalContent | null): void {
    const about = { file: journal.path };
    const missed = this.#sequence - (lastSequence(content) ?? 0n);
    if (content === null) this.#logger.error(about, 'a copy of the catalog is missing: it is made anew');
    // A crash leaves the last commits on one of the two, or a part of them on either.
    else if (content.rest === 'damaged' || missed > BigInt(GROUP_MAX))
      this.#logger.error(about, 'a copy of the catalog is damaged: it is made anew');
    else if (content.rest === 'torn' || missed > 0n)
      this.#logger.warn(about, 'a copy of the catalog lacks its end: it is completed');
  }
}
