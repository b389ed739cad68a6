/** A library under measurement: a process that holds one index and answers lines of JSON. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CACHE, pythonWith, spawnUnderMemoryLimit } from '../python.ts';

/** The most address space that a peer gets. */
const PEER_MEMORY_KIB_MAX = 16 * 1024 * 1024;
/** A library that takes longer over one command hangs, and is killed. */
const ANSWER_WITHIN_MS = 400_000;

const PACKAGES = [
  'numpy==2.4.6',
  'scipy==1.17.1',
  'tantivy==0.27.0',
  'bm25s==0.3.16',
  'pyseismic-lsr==0.5.4',
];

/** The Python of all peers; it makes the data sets too. */
export const peerPython = (): string => pythonWith('text', PACKAGES);

export const ELANUS = 'elanus';
const PEER = join(import.meta.dirname, 'peers/peer.py');

/** One setting of a library. */
export type Knob = unknown;

/** Seconds are of processor time, all threads together. */
export interface Built {
  readonly seconds: number;
  /** Counting the words of all texts, where that is not part of the build. */
  readonly wordSeconds?: number | null;
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly knobs: readonly Knob[];
}

export interface Searched {
  /** By the processor time of one thread. */
  readonly queriesPerSecond: number;
  /** The share of hits with a score of at least the k-th best. */
  readonly found: number;
  /** The share of hits whose score is the exact one, to 1e-4; of Elanus to 1e-5. */
  readonly exact: number;
  /** What a call takes that finds nothing. */
  readonly callMicroseconds: number;
}

export class Subject implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, data: string) {
    this.name = name;
    const kept = join(CACHE, 'bench-text/indexes', `${name}-${data.split('/').at(-1)}`);
    mkdirSync(kept, { recursive: true });
    const stdio = ['pipe', 'pipe', openSync(join(kept, 'log'), 'a')] as const;
    // Node reserves more address space than a limit of it would allow.
    this.#child =
      name === ELANUS
        ? spawn(process.execPath, [join(import.meta.dirname, 'elanus-subject.ts'), data, kept], {
            stdio: [...stdio],
          })
        : spawnUnderMemoryLimit(PEER_MEMORY_KIB_MAX, [peerPython(), PEER, name, data, kept], {
            stdio: [...stdio],
          });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async build(): Promise<Built> {
    return await this.#ask<Built>({ do: 'build' });
  }

  async search(knob: Knob, seconds: number): Promise<Searched> {
    return await this.#ask<Searched>({ do: 'search', seconds, ...(this.name === ELANUS ? {} : { knob }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask<Answer>(command: object): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_WITHIN_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(kill);
    if (done) throw new Error(`${this.name} ended before it answered; its log lies beside its index`);
    const answer = JSON.parse(value) as Answer & { readonly error?: string };
    if (answer.error) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }
}
