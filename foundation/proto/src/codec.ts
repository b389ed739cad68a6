import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { type Messages, readers, startReading, writers } from './generated/messages.js';

export type MessageName = keyof Messages;

/** A message to be encoded: members left out have their defaults. */
export type Draft<Message> = {
  [Member in keyof Message]?: Message[Member] extends (infer Element)[]
    ? readonly DraftValue<Element>[]
    : DraftValue<Message[Member]>;
};
type DraftValue<Value> = Value extends bigint | number | string | boolean | Uint8Array | undefined
  ? Value
  : Value extends Map<infer Key, infer Element>
    ? ReadonlyMap<Key, DraftValue<Element>>
    : Value extends (infer Element)[]
      ? readonly DraftValue<Element>[]
      : Draft<Value>;

/** Bytes that are not a message of the type they should be. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/**
 * The message in `bytes`. Members of type bytes are views on `bytes`; int64 members are exact. Reading allocates
 * no more than a bounded multiple of the bytes that are there: a message may hold two million list elements.
 * @throws DecodeError when the bytes are damaged
 */
export function decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Messages[Name] {
  const reader = new BinaryReader(bytes);
  startReading();
  try {
    return readers[name](reader, bytes.length);
  } catch (cause) {
    throw new DecodeError(`cannot read ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

export function encode<Name extends MessageName>(name: Name, message: Draft<Messages[Name]>): Uint8Array {
  const writer = new BinaryWriter();
  writers[name](writer, message);
  return writer.finish();
}
