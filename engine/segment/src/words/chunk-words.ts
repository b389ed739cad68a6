import { isWordLike, type WordIndex, type WordsLike } from '@elanus/expr';
import type { Analyzer } from '@elanus/functions';
import { assert, type FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type Read, takeTurns } from '../read.ts';
import { OpenBlock, visitBlock, visitBlockLike, type WordBlock } from './word-block.ts';

/** Bytes of texts that are analysed between two looks at the clock, and what a row costs beside its text. */
const BYTES_PER_TURN = 4096;
const ROW_BYTES = 32;
/** Words of one text that are kept between two looks at the clock. */
const WORDS_PER_TURN = 2048;

const tests = new WeakMap<WordsLike, (word: string) => boolean>();

/** Made once for each filter, not for each run of rows. */
function testOf(wanted: WordsLike): (word: string) => boolean {
  const test = tests.get(wanted) ?? isWordLike(wanted);
  tests.set(wanted, test);
  return test;
}

/** The words of a text field of one chunk, looked up when a filter first asks for them. Deleted rows are among them. */
export class ChunkWords implements WordIndex {
  /** The analyzer's parameters, by which the words were found. */
  readonly analyzedBy: string;
  readonly #blocks: WordBlock[] = [];
  #open = new OpenBlock(0);
  /** Whoever looks words up; others wait for it. */
  #looking: Promise<void> | null = null;

  constructor(analyzedBy: string) {
    this.analyzedBy = analyzedBy;
  }

  /** Rows whose words are known. */
  get rows(): number {
    return this.#open.endRow;
  }

  visit(word: string, start: number, end: number, visit: (row: number, position: number) => void): void {
    for (let at = this.#firstBlock(start); at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!;
      if (block.firstRow >= end) return;
      visitBlock(block, word, start, end, visit);
    }
    if (this.#open.firstRow < end) this.#open.visit(word, start, end, visit);
  }

  visitLike(wanted: WordsLike, start: number, end: number, visit: (row: number) => void): void {
    const isWanted = testOf(wanted);
    for (let at = this.#firstBlock(start); at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!;
      if (block.firstRow >= end) return;
      visitBlockLike(block, isWanted, start, end, visit);
    }
    if (this.#open.firstRow < end) this.#open.visitLike(isWanted, start, end, visit);
  }

  /** Looks up the words of all rows up to `rows`, which the chunk has. */
  async extend(chunk: Chunk, field: FieldId, rows: number, analyzer: Analyzer, read: Read): Promise<void> {
    while (this.rows < rows) {
      if (this.#looking === null) {
        const looking = this.#look(chunk, field, rows, analyzer, read).finally(() => {
          this.#looking = null;
        });
        this.#looking = looking;
        await looking;
      } else {
        // Another reader may go away in the middle; then the rest is ours.
        await this.#looking.catch(() => {});
        read.signal?.throwIfAborted();
      }
    }
  }

  async #look(chunk: Chunk, field: FieldId, rows: number, analyzer: Analyzer, read: Read): Promise<void> {
    const column = chunk.column(field);
    assert('bytes' in column && 'offsets' in column, 'a text field has a column of texts');
    const { validity, offsets, bytes } = column;
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let spent = 0;
    while (this.rows < rows) {
      const row = this.rows;
      const [start, end] = [offsets[row]!, offsets[row + 1]!];
      spent += ROW_BYTES + end - start;
      if (spent > BYTES_PER_TURN) {
        spent = 0;
        await takeTurns(read);
      }
      if (end > start && validity?.[row] !== 0) {
        const analyzing = analyzer.analyzing(source.toString('utf8', start, end));
        let step = analyzing.next();
        for (; !step.done; step = analyzing.next()) await takeTurns(read);
        for (const [number, { text, position }] of step.value.entries()) {
          // Whoever goes away in the middle of a text would leave half of it: nobody does.
          if (number % WORDS_PER_TURN === WORDS_PER_TURN - 1 && read.share.isSpent())
            await read.share.nextTurn();
          this.#open.add(text, position);
        }
      }
      this.#open.endRow += 1;
      // The words of a chunk's last rows are sorted as well once no more can come.
      if (this.#open.isFull || (chunk.isClosed && this.rows === chunk.rows)) {
        this.#blocks.push(this.#open.close());
        this.#open = new OpenBlock(this.rows);
      }
    }
  }

  /** The block that has the row, or the number of blocks. */
  #firstBlock(row: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.endRow <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
