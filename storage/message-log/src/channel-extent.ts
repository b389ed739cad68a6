import { type Clock, type Disk, DiskError, type Logger } from '@elanus/runtime';

/** How far a channel has come at least. */
export interface Extent {
  /** All files with smaller numbers were begun. */
  readonly nextNumber: number;
  /** So many bytes of the one before `nextNumber` are durable. */
  readonly end: number;
}

const MARK = /^(\d{12})\.next-(\d{1,12})$/;

/** `000000000042.next-4711`: file 41 was begun and has 4711 durable bytes. */
export function extentName({ nextNumber, end }: Extent): string {
  return `${String(nextNumber).padStart(12, '0')}.next-${end}`;
}

/** What the marks among `names` say together; `null` without any. */
export function extentAmong(names: Iterable<string>): Extent | null {
  let furthest: Extent | null = null;
  for (const name of names) {
    const match = MARK.exec(name);
    if (match === null) continue;
    const extent = { nextNumber: Number(match[1]), end: Number(match[2]) };
    if (furthest === null || isFurther(extent, furthest)) furthest = extent;
  }
  return furthest;
}

function isFurther(one: Extent, other: Extent): boolean {
  return one.nextNumber === other.nextNumber ? one.end > other.end : one.nextNumber > other.nextNumber;
}

/**
 * A mark is so many milliseconds behind the writes at most: damage to what is younger looks like the tear of a crash. It
 * costs a rename each time.
 */
const PAUSE_MS = 100;

/** What a mark needs of the world. */
export interface MarkContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the log closes. */
  readonly closing: AbortSignal;
}

/**
 * The mark of one channel: an empty file beside its log files, whose name says how far they go, so that a file that is
 * lost or cut short is missed. The mark itself holds nothing that would be missed.
 */
export class ExtentMark {
  readonly #context: MarkContext;
  readonly #directory: string;
  #isDue = false;
  #noted: Extent | null;
  #notes: Promise<unknown> = Promise.resolve();

  /** `found` is what the directory says. */
  constructor(context: MarkContext, directory: string, found: Extent | null) {
    this.#context = context;
    this.#directory = directory;
    this.#noted = found;
  }

  /** Notes what is durable already. */
  async noteDurably(extent: Extent): Promise<void> {
    await this.note(extent);
    await this.#context.disk.syncDirectory(this.#directory);
  }

  /** Notes what is durable already; a power cut may take the note back. */
  note(extent: Extent): Promise<void> {
    const note = this.#notes.then(() => this.#note(extent));
    this.#notes = note.catch(() => {});
    return note;
  }

  /** As `note`; a mark that can't be made costs what it would have told after a loss, and nothing else. */
  async noteIfPossible(extent: Extent | null): Promise<void> {
    if (extent === null) return;
    try {
      await this.note(extent);
    } catch (error) {
      this.#context.logger.warn({ directory: this.#directory, err: error }, 'a channel could not be marked');
    }
  }

  /** Notes what there will be a little later: whoever writes often is not held up. */
  noteSoon(extent: () => Extent | null): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const { clock, closing } = this.#context;
    clock.sleep(PAUSE_MS, { signal: closing }).then(
      async () => {
        this.#isDue = false;
        if (!closing.aborted) await this.noteIfPossible(extent());
      },
      () => {},
    );
  }

  async #note(extent: Extent): Promise<void> {
    const before = this.#noted;
    if (before !== null && !isFurther(extent, before)) return;
    const path = `${this.#directory}/${extentName(extent)}`;
    if (before === null || !(await this.#move(`${this.#directory}/${extentName(before)}`, path)))
      await (await this.#context.disk.open(path, 'create')).close();
    this.#noted = extent;
  }

  /** False when there is no mark any more. */
  async #move(from: string, to: string): Promise<boolean> {
    try {
      await this.#context.disk.rename(from, to);
      return true;
    } catch (error) {
      if (error instanceof DiskError && error.kind === 'missing') return false;
      throw error;
    }
  }
}
