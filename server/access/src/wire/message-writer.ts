import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { encodeInt64s } from './packed.ts';

/**
 * Writes protobuf fields one after the other, for the messages that carry rows. Byte runs are kept by reference
 * until `finish`, which copies each once.
 */
export class MessageWriter {
  readonly #writer = new BinaryWriter();

  /** An int32, int64 or enum; nothing when it is zero, as proto3 has it. */
  number(field: number, value: number | bigint): this {
    if (value === 0 || value === 0n) return this;
    this.#writer.uint32(field << 3).int64(value);
    return this;
  }

  flag(field: number, value: boolean): this {
    if (value) this.#writer.uint32(field << 3).bool(true);
    return this;
  }

  float(field: number, value: number): this {
    if (value !== 0) this.#writer.uint32((field << 3) | 5).float(value);
    return this;
  }

  text(field: number, value: string): this {
    if (value !== '') this.#writer.uint32((field << 3) | 2).string(value);
    return this;
  }

  /** A message, a byte string or a packed list; also when it is empty. */
  bytes(field: number, value: Uint8Array): this {
    this.#writer.uint32((field << 3) | 2).bytes(value);
    return this;
  }

  /** What stands before a message, a byte string or a packed list of `length` bytes that somebody else puts behind it. */
  head(field: number, length: number): this {
    this.#writer.uint32((field << 3) | 2).uint32(length);
    return this;
  }

  /** A member message that `write` fills. */
  message(field: number, write: (writer: MessageWriter) => void): this {
    this.#writer.uint32((field << 3) | 2).fork();
    write(this);
    this.#writer.join();
    return this;
  }

  /** A packed list of varints; negative ones take ten bytes, as in any int32 or int64 field. */
  varints(field: number, values: Iterable<number | bigint>): this {
    if (values instanceof BigInt64Array) return this.bytes(field, encodeInt64s(values));
    this.#writer.uint32((field << 3) | 2).fork();
    for (const value of values) {
      if (typeof value === 'bigint') this.#writer.int64(value);
      else this.#writer.int32(value);
    }
    this.#writer.join();
    return this;
  }

  /** A packed list of float, double or bool, whose bytes in memory are those on the wire. */
  fixed(field: number, values: Float32Array | Float64Array | Uint8Array): this {
    return this.bytes(field, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
