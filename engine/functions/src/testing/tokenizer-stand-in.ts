import { readFileSync } from 'node:fs';
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import protobuf from 'protobufjs';

interface Question {
  readonly text: string;
  readonly parameters: readonly { readonly key: string; readonly values: readonly string[] }[];
}

const { root } = protobuf.parse(
  readFileSync(new URL('../tokenizers/grpc/tokenizer.proto', import.meta.url), 'utf8'),
);
const REQUEST = root.lookupType('milvus.proto.tokenizer.TokenizationRequest');
const RESPONSE = root.lookupType('milvus.proto.tokenizer.TokenizationResponse');

/**
 * A tokenizer on this machine that is asked over gRPC, with a codec that is none of ours. It cuts at hyphens, and writes
 * words in capitals when its parameter `case` is `upper`. Texts with the words ERROR, RUBBISH, OUTSIDE and HANG in them
 * get what they ask for.
 */
export class TokenizerStandIn implements Disposable {
  readonly endpoint: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#server = server;
  }

  static async start(): Promise<TokenizerStandIn> {
    const server = new Server();
    server.addService(SERVICE, { Tokenize: tokenize });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    return new TokenizerStandIn(server, await promise);
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
  }
}

const SERVICE: ServiceDefinition = {
  Tokenize: {
    path: '/milvus.proto.tokenizer.Tokenizer/Tokenize',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => REQUEST.toObject(REQUEST.decode(bytes), { arrays: true }),
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

const tokenize: handleUnaryCall<Question, Uint8Array> = ({ request: { text, parameters } }, answer) => {
  if (text.includes('HANG')) return;
  if (text.includes('ERROR')) return answer({ code: status.INTERNAL, details: 'no words today' });
  if (text.includes('RUBBISH')) return answer(null, Buffer.from([0xff, 0xff, 0xff]));
  const isUpper = parameters.some(({ key, values }) => key === 'case' && values.includes('upper'));
  const shift = text.includes('OUTSIDE') ? Buffer.byteLength(text) : 0;
  const tokens = Array.from(text.matchAll(/[^-]+/g), ({ 0: word, index }, position) => {
    const from = shift + Buffer.byteLength(text.slice(0, index));
    const to = from + Buffer.byteLength(word);
    return { text: isUpper ? word.toUpperCase() : word, offsetFrom: from, offsetTo: to, position };
  });
  answer(null, RESPONSE.encode(RESPONSE.fromObject({ tokens })).finish());
};
