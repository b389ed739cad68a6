import type { FieldSchema } from '@elanus/model';
import type { FunctionParams } from './function-params.ts';
import type { ModelRequest } from './model-client.ts';
import type { SecretSource } from './secrets.ts';

/** What a text is embedded for: models may tell what is kept from what is asked. */
export type EmbeddingPurpose = 'document' | 'query';

/** How one provider is asked for vectors of texts. */
export interface EmbeddingService {
  /** Texts that are asked for at once. */
  readonly textsMax: number;
  /** `ask` asks another service first, where one has to. */
  request(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    ask: (request: ModelRequest) => Promise<unknown>,
  ): ModelRequest | Promise<ModelRequest>;
  /** The vectors in an answer, in the order of the texts: whatever stands where they should be. */
  vectors(answer: unknown): readonly unknown[];
}

/** What a service is made of. */
export interface EmbeddingServiceOptions extends SecretSource {
  readonly params: FunctionParams;
  /** The field that the vectors are for. */
  readonly field: FieldSchema;
  /** Dimensions that the function asks the model for; `undefined`: the model's own. */
  readonly dim: number | undefined;
  readonly nowMs: () => number;
}

export type OpenEmbeddingService = (options: EmbeddingServiceOptions) => EmbeddingService;

/** The head of a request with a key in it. */
export function bearer(key: string | null): Pick<ModelRequest, 'headers' | 'secrets'> {
  if (key === null) return { headers: {}, secrets: [] };
  return { headers: { authorization: `Bearer ${key}` }, secrets: [key] };
}
