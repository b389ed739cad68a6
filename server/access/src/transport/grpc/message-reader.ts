import { GRPC_STATUS, GrpcError } from './grpc-status.ts';

/** Before each message: whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;
/** What a message gets that has shown nothing but its prefix. */
const UNSHOWN_BYTES_MAX = 8 * 1024;
/** What it gets then, however much longer it says it is. Memory that nobody has written to costs no pages. */
const SHOWN_BYTES_MAX = 4 * 1024 * 1024;
/** Room grows by so much when it is full: few messages are moved twice. */
const GROWTH = 8;

export interface ReceivedMessage {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
  /** Whether nobody else has a part of the memory. */
  readonly hasOwnMemory: boolean;
}

/**
 * Puts the one message of a unary call together. A message is copied once, what came first of more than four megabytes twice;
 * memory is taken as bytes come, whatever length the prefix claims.
 */
export class MessageReader {
  readonly #path: string;
  readonly #bytesMax: number;
  /** The prefix, as long as it is not whole. */
  #prefix: Buffer | null = null;
  #isCompressed = false;
  /** -1: not known yet. */
  #length = -1;
  #bytes: Buffer = NOTHING;
  #hasOwnMemory = false;
  #received = 0;

  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes the next bytes, of which nothing is kept.
   * @throws GrpcError when the message is too long, of a form that gRPC does not know, or not the only one
   */
  push(chunk: Buffer): void {
    if (this.#length >= 0) {
      this.#add(chunk);
      return;
    }
    const begin = this.#prefix === null ? chunk : Buffer.concat([this.#prefix, chunk]);
    if (begin.length < PREFIX_BYTES) {
      this.#prefix = Buffer.from(begin);
      return;
    }
    this.#open(begin[0]!, begin.readUInt32BE(1));
    this.#add(begin.subarray(PREFIX_BYTES));
  }

  /** @throws GrpcError when the call ended before its message did */
  finish(): ReceivedMessage {
    if (this.#length < 0 || this.#received < this.#length)
      throw new GrpcError(GRPC_STATUS.internal, `The call of ${this.#path} ended before its message`);
    return {
      isCompressed: this.#isCompressed,
      bytes: this.#bytes,
      hasOwnMemory: this.#hasOwnMemory,
    };
  }

  #open(flags: number, length: number): void {
    if (flags > 1) throw new GrpcError(GRPC_STATUS.internal, `A message cannot have the flags ${flags}`);
    if (length > this.#bytesMax)
      throw new GrpcError(
        GRPC_STATUS.resourceExhausted,
        `Received message larger than max (${length} vs ${this.#bytesMax})`,
      );
    this.#isCompressed = flags === 1;
    this.#length = length;
  }

  #add(chunk: Buffer): void {
    const received = this.#received + chunk.length;
    if (received > this.#length)
      throw new GrpcError(GRPC_STATUS.internal, `The call of ${this.#path} has more than one message`);
    if (chunk.length === this.#length) this.#bytes = Buffer.from(chunk);
    else if (chunk.length > 0) {
      this.#makeRoom(received);
      this.#bytes.set(chunk, this.#received);
    }
    this.#received = received;
  }

  #makeRoom(length: number): void {
    if (length <= this.#bytes.length) return;
    const roomMin = length < UNSHOWN_BYTES_MAX ? UNSHOWN_BYTES_MAX : SHOWN_BYTES_MAX;
    const room = Math.max(length, roomMin, GROWTH * this.#bytes.length);
    const grown = Buffer.allocUnsafeSlow(Math.min(room, this.#length));
    grown.set(this.#bytes.subarray(0, this.#received));
    this.#bytes = grown;
    this.#hasOwnMemory = true;
  }
}

const NOTHING = Buffer.alloc(0);
