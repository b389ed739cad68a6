import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { TOKENIZE_PATH, TokenizerFailure } from './tokenizer-messages.ts';

/** For one text, the connection included. */
const TIMEOUT_MS = 5_000;
/** The words of the longest text, a few times as long as that is. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** As many as the configuration names. */
const services = new Map<string, TokenizerService>();

/** A service that cuts texts, asked over gRPC. */
export class TokenizerService {
  readonly endpoint: string;
  readonly #client: Client;

  /** `endpoint` is an origin, `http://` or `https://`. */
  constructor(endpoint: string, { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}) {
    const { protocol, host, port } = new URL(endpoint);
    const isSecure = protocol === 'https:';
    this.endpoint = endpoint;
    this.#client = new Client(
      port === '' ? `${host}:${isSecure ? 443 : 80}` : host,
      isSecure ? credentials.createSsl() : credentials.createInsecure(),
      {
        'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
        'grpc.service_config': JSON.stringify({
          methodConfig: [{ name: [{}], timeout: `${timeoutMs / 1000}s` }],
        }),
        // Nobody but the service itself is spoken to, whatever the environment says.
        'grpc.enable_http_proxy': 0,
      },
    );
  }

  /** The one at an endpoint: everybody speaks to it over one connection. */
  static at(endpoint: string): TokenizerService {
    const service = services.get(endpoint) ?? new TokenizerService(endpoint);
    services.set(endpoint, service);
    return service;
  }

  /** The answer to an encoded request. @throws TokenizerFailure that says why there is none, within five seconds usually */
  async tokenize(request: Uint8Array): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#client.makeUnaryRequest<Uint8Array, Uint8Array>(
      TOKENIZE_PATH,
      (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      (bytes) => bytes,
      request,
      (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(new TokenizerFailure(reasonOf(error)));
      },
    );
    return await promise;
  }

  /** Calls that are under way end as they would. */
  close(): void {
    this.#client.close();
  }
}

const SHOWN_CHARACTERS_MAX = 500;

function reasonOf(error: ServiceError | null): string {
  if (error === null) return 'there is no answer';
  return `${status[error.code]}: ${error.details}`.slice(0, SHOWN_CHARACTERS_MAX);
}
