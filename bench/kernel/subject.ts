/** A library under measurement: a process that holds one index and answers lines of JSON. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { SearchWay } from '@elanus/kernel';
import { CACHE, spawnUnderMemoryLimit } from '../python.ts';
import { bytesOf, type DataSet } from './data-set.ts';
import type { Library } from './libraries.ts';

/** The most address space that a peer gets. */
const PEER_MEMORY_KIB_MAX = 16 * 1024 * 1024;
const BUILD_THREADS = 2;
/** A library that takes longer over one command hangs, and is killed. */
const ANSWER_WITHIN_MS = 240_000;
const END_WITHIN_MS = 5_000;
const KEPT = join(CACHE, 'bench-kernel/indexes');

/** One setting of a library's search knob, typically its beam; of one with two knobs a text that says both. */
export type Knob = number | string;

/** How queries are handed over: all at once, or one a call; on how many threads. */
export interface Way {
  readonly calls: 'batch' | 'single';
  readonly threads: number;
  /**
   * One thread is timed by its processor time, more by the clock, or, of ours, by what all had of the processors: then it
   * is as if they had had all of them all the time, whatever else the machine did.
   */
  readonly clock?: 'processors';
}

/** With two threads; of this run or, for a peer's kept index, of the run that built it. */
export interface BuildTime {
  readonly buildSeconds: number;
  /** Of all threads together: what other programs on the machine cannot lengthen. */
  readonly buildProcessorSeconds: number;
}

/** What is known once an index can be searched. */
export interface OpenIndex extends BuildTime {
  readonly knobs: readonly Knob[];
  readonly memoryBytes: number;
  /** How the memory was found out. */
  readonly memoryMeans: string;
}

/** How our own index is told to search under a filter. */
export interface Strategy {
  readonly way: SearchWay;
  readonly ef: number;
}

/** The bitmaps of one filtered measurement. */
export interface FilterCell {
  /** File of bitmaps, one bit a row, least significant first: one for all queries or one for each. */
  readonly allowed: string;
  readonly shared: boolean;
  /** How many of the data set's queries are asked, from the first. */
  readonly queries: number;
}

export interface Measured {
  readonly queriesPerSecond: number;
  /** What was found, `null` unless it was asked for. */
  readonly rows: Uint32Array | null;
}

export interface PrepareOptions {
  /** Also builds what could be read from the last run. */
  readonly rebuild: boolean;
  /** Also reads our own index from the last run, though the code may have changed since. */
  readonly reuseOurs: boolean;
}

export class Subject implements AsyncDisposable {
  readonly library: Library;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #rowsFile: string;

  /** Starts the process, builds the index or takes the one that was kept, and makes it ready for searches. */
  static async prepare(
    library: Library,
    data: DataSet,
    options: PrepareOptions,
  ): Promise<{ readonly subject: Subject; readonly index: OpenIndex }> {
    const kept = join(KEPT, `${library.name}-${data.name}-${data.shape.element}`);
    const built = join(kept, 'built.json');
    const mayReuse = !options.rebuild && (!library.ours || options.reuseOurs);
    const builds = !mayReuse || !existsSync(built);
    if (builds) {
      rmSync(kept, { recursive: true, force: true });
      mkdirSync(kept, { recursive: true });
    }
    // Processes that were started end when something fails.
    await using started = new AsyncDisposableStack();
    let subject = started.use(new Subject(library, data, kept));
    if (builds) {
      writeFileSync(built, JSON.stringify(await subject.#ask({ do: 'build', threads: BUILD_THREADS })));
      // A peer's memory is what loading adds to a new process. Ours says it, and is searched where it was built.
      if (!library.ours) {
        await subject[Symbol.asyncDispose]();
        subject = started.use(new Subject(library, data, kept));
      }
    }
    const buildTime = JSON.parse(readFileSync(built, 'utf8')) as BuildTime;
    const index = await subject.#ask<Omit<OpenIndex, keyof BuildTime>>({ do: 'open' });
    started.move();
    return { subject, index: { ...index, ...buildTime } };
  }

  private constructor(library: Library, data: DataSet, kept: string) {
    this.library = library;
    this.#rowsFile = join(kept, 'rows');
    const log = openSync(join(kept, 'log'), 'a');
    const args = [...library.command(), data.folder, kept];
    const stdio = ['pipe', 'pipe', log] as const;
    // Node reserves more address space than a limit of it would allow.
    this.#child = library.ours
      ? spawn(args[0]!, args.slice(1), { stdio: [...stdio] })
      : spawnUnderMemoryLimit(PEER_MEMORY_KIB_MAX, args, { stdio: [...stdio] });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Searches with all queries of the data set for at least `seconds`. */
  async search(knob: Knob, way: Way, seconds: number, answers: 'drop' | 'keep'): Promise<Measured> {
    return await this.#measure({ do: 'search', knob, ...way, seconds }, answers);
  }

  /** Searches one query after the other, each under its bitmap. */
  async filter(knob: Knob, cell: FilterCell, seconds: number, answers: 'drop' | 'keep'): Promise<Measured> {
    const { allowed, shared, queries } = cell;
    return await this.#measure({ do: 'filter', knob, allowed, shared, queries, seconds }, answers);
  }

  /** The same of our own index in a way that it need not have chosen, with the first `asked` queries. */
  async filterBy(
    { way, ef }: Strategy,
    { allowed, shared, queries }: FilterCell,
    asked: number,
    seconds: number,
    answers: 'drop' | 'keep',
  ): Promise<Measured> {
    const command = { do: 'filter', way, knob: ef, allowed, shared, queries, asked, seconds };
    return await this.#measure(command, answers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const kill = this.#killAfter(END_WITHIN_MS);
      await once(this.#child, 'exit');
      clearTimeout(kill);
    }
    this.#reader.close();
  }

  async #measure(command: object, answers: 'drop' | 'keep'): Promise<Measured> {
    const ids = answers === 'keep' ? this.#rowsFile : null;
    const { queriesPerSecond } = await this.#ask<{ queriesPerSecond: number }>({ ...command, ids });
    return { queriesPerSecond, rows: ids === null ? null : new Uint32Array(bytesOf(ids).buffer) };
  }

  async #ask<Answer>(command: object): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    const kill = this.#killAfter(ANSWER_WITHIN_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(kill);
    if (done) throw new Error(`${this.library.name} ended before it answered; its log lies beside its index`);
    const answer = JSON.parse(value) as Answer & { readonly error?: string };
    if (answer.error) throw new Error(`${this.library.name}: ${answer.error}`);
    return answer;
  }

  #killAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#child.kill('SIGKILL'), ms);
  }
}
