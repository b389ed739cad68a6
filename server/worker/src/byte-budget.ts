import { serviceNotReady } from '@elanus/model';

const WAITING_MAX = 100_000;

/** Bounds the bytes that are in the works at a time; whoever finds no room waits, first come first served. */
export class ByteBudget {
  readonly #bytesMax: number;
  #bytesUsed = 0;
  readonly #waiting: { readonly bytes: number; readonly admit: () => void }[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytesUsed(): number {
    return this.#bytesUsed;
  }

  /**
   * Runs `work` once there is room for `bytes` of it; more than the whole budget runs alone.
   * @throws MilvusError (retriable) when too many wait already
   */
  async run<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) await this.#wait(bytes);
    else this.#bytesUsed += bytes;
    try {
      return await work();
    } finally {
      this.#bytesUsed -= bytes;
      this.#admitWaiting();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytesUsed === 0 || this.#bytesUsed + bytes <= this.#bytesMax;
  }

  async #wait(bytes: number): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) throw serviceNotReady('too many writes wait');
    await new Promise<void>((admit) => this.#waiting.push({ bytes, admit }));
  }

  #admitWaiting(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#hasRoom(next.bytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#bytesUsed += next.bytes;
      next.admit();
    }
  }
}
