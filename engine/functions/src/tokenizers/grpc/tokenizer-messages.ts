import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Work } from '../../work.ts';

/** The method, and the numbers of members: `tokenizer.proto` has them in its own words. */
export const TOKENIZE_PATH = '/milvus.proto.tokenizer.Tokenizer/Tokenize';
const REQUEST = { text: 1, parameters: 2 } as const;
const PARAMETER = { key: 1, values: 2 } as const;
const RESPONSE = { tokens: 1 } as const;
const TOKEN = { text: 1, from: 2, to: 3, position: 4 } as const;

/** What an analyzer tells the service with each text. */
export interface TokenizerParameter {
  readonly key: string;
  readonly values: readonly string[];
}

/** A word as a service answers it, its place in bytes. */
export interface AnsweredToken {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly position: number;
}

/** Why there are no words of a text: the service's fault, or the world's. */
export class TokenizerFailure extends Error {}

export function encodeRequest(text: string, parameters: readonly TokenizerParameter[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(REQUEST.text, WireType.LengthDelimited).string(text);
  for (const { key, values } of parameters) {
    writer.tag(REQUEST.parameters, WireType.LengthDelimited).fork();
    writer.tag(PARAMETER.key, WireType.LengthDelimited).string(key);
    for (const value of values) writer.tag(PARAMETER.values, WireType.LengthDelimited).string(value);
    writer.join();
  }
  return writer.finish();
}

/** Words that are read between two yields. */
const SLICE_TOKENS = 1024;

/** The words of an answer. @throws TokenizerFailure for bytes that are none */
export function* decodingTokens(bytes: Uint8Array): Work<AnsweredToken[]> {
  try {
    return yield* readingTokens(bytes);
  } catch (cause) {
    throw new TokenizerFailure(`the answer can't be read, ${(cause as Error).message}`, { cause });
  }
}

function* readingTokens(bytes: Uint8Array): Work<AnsweredToken[]> {
  const reader = new BinaryReader(bytes);
  const tokens: AnsweredToken[] = [];
  while (reader.pos < reader.len) {
    const [member, type] = reader.tag();
    if (member !== RESPONSE.tokens || type !== WireType.LengthDelimited) {
      reader.skip(type, member);
      continue;
    }
    tokens.push(readToken(new BinaryReader(reader.bytes())));
    if (tokens.length % SLICE_TOKENS === 0) yield;
  }
  return tokens;
}

function readToken(reader: BinaryReader): AnsweredToken {
  const token = { text: '', from: 0, to: 0, position: 0 };
  while (reader.pos < reader.len) {
    const [member, type] = reader.tag();
    if (member === TOKEN.text && type === WireType.LengthDelimited) token.text = reader.string();
    else if (member === TOKEN.from && type === WireType.Varint) token.from = reader.int32();
    else if (member === TOKEN.to && type === WireType.Varint) token.to = reader.int32();
    else if (member === TOKEN.position && type === WireType.Varint) token.position = reader.int32();
    else reader.skip(type, member);
  }
  return token;
}
