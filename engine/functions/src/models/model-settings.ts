/** What whoever runs the server says of one provider of models. */
export interface ProviderSettings {
  readonly isEnabled: boolean;
  /** The name of an entry of `ModelSettings.credentials`. */
  readonly credential: string | null;
  /**
   * Where the service is, if not where its maker serves it. Of providers that everybody runs for himself (`tei`, `vllm`) the
   * endpoints that functions may name, with commas between: no other host is ever spoken to.
   */
  readonly url: string | null;
  /** Of Azure OpenAI, whose address has it. */
  readonly resourceName: string | null;
}

/** What whoever runs the server says of models that are asked over HTTP, and of tokenizers that are services. */
export interface ModelSettings {
  /** By the name of the provider, in lower case; here and below. One that is not in it has `USUAL_PROVIDER`. */
  readonly embedding: ReadonlyMap<string, ProviderSettings>;
  readonly rerank: ReadonlyMap<string, ProviderSettings>;
  /** The endpoints that tokenizers of type `grpc` may name, with commas between; `null`: none. */
  readonly tokenizers: string | null;
  /** By name; of each its members (`apikey`, `access_key_id`, …) in lower case. Secrets. */
  readonly credentials: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Where secrets are that no credential holds: environment variables by their names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A request has at most so many times the texts that a provider takes at once. */
  readonly batchFactor: number;
  /** For one batch, all attempts together. */
  readonly timeoutMs: number;
}

export const USUAL_PROVIDER: ProviderSettings = {
  isEnabled: true,
  credential: null,
  url: null,
  resourceName: null,
};

export const MODEL_SETTINGS_DEFAULT: ModelSettings = {
  embedding: new Map(),
  rerank: new Map(),
  tokenizers: null,
  credentials: new Map(),
  environment: {},
  batchFactor: 5,
  timeoutMs: 30_000,
};
