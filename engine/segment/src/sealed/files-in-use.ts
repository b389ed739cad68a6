/** A file whose bytes may be elsewhere as long as nobody uses them. */
export interface UsedFile {
  /** Whether its bytes are there, used or not. */
  readonly isLasting: boolean;
  /** Whether all bytes are there, used or not. */
  readonly isThere: boolean;
  /** Begins a use; resolves when all bytes are there, `null`: they are. A use that did not fail ends with `leave`. */
  use(): Promise<void> | null;
  leave(): void;
}

const running = new Set<FilesInUse>();

/** The files that somebody uses for a while: a read, a build, a compaction. */
export class FilesInUse implements Disposable {
  /** With what is waited for. */
  readonly #files = new Map<UsedFile, Promise<void> | null>();

  constructor() {
    running.add(this);
  }

  /**
   * Uses a file as well, until the end; resolves when its bytes are there, `null`: they are.
   * @throws what the file throws
   */
  add(file: UsedFile): Promise<void> | null {
    if (file.isLasting) return null;
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const coming = file.use();
    this.#files.set(file, coming);
    if (coming === null) return null;
    const waiting = coming.then(() => {
      // Nobody has to wait for it again.
      if (this.#files.get(file) === waiting) this.#files.set(file, null);
    });
    this.#files.set(file, waiting);
    return waiting;
  }

  /** As `add`, of all that are not there already. */
  addAll(files: Iterable<UsedFile>): Promise<unknown> | null {
    const coming: Promise<void>[] = [];
    for (const file of files) {
      const one = this.add(file);
      if (one !== null) coming.push(one);
    }
    return coming.length === 0 ? null : Promise.all(coming);
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /** Nothing is read any more but what is used already: files that take the place of others are no concern. */
  endReading(): void {
    running.delete(this);
  }

  [Symbol.dispose](): void {
    this.endReading();
    for (const [file, coming] of this.#files) {
      if (coming === null) file.leave();
      else
        coming.then(
          () => file.leave(),
          () => {},
        );
    }
    this.#files.clear();
  }
}

/** Rows have moved to a file, whose bytes are there: whoever reads them goes on in it. */
export function useWhereRead(file: UsedFile): void {
  // Should they be on their way after all, who asks for them next is told.
  for (const use of running) use.add(file)?.catch(() => {});
}

/** As `useWhereRead`, of a file that its opener does not use any more. `null`, and left out: there is none, or it stays. */
export function giveToReads(file: UsedFile | null | undefined): void {
  if (file == null) return;
  useWhereRead(file);
  file.leave();
}
