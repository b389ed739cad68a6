import { itemsOf } from '../answer.ts';
import { bearer, type OpenEmbeddingService } from '../embedding-service.ts';
import { allowedEndpoint, secretOf } from '../secrets.ts';

const DIRECTIONS = ['Left', 'Right'];
const TEXTS_MAX_USUAL = 32;

/** Hugging Face's Text Embeddings Inference, which everybody runs for himself. */
export const openTei: OpenEmbeddingService = (options) => {
  const { params } = options;
  const endpoint = allowedEndpoint(options, 'function.textEmbedding.providers.tei.url');
  const key = secretOf(options, 'apikey', '');
  const truncate = params.flag('truncate') ?? false;
  const direction = params.word('truncation_direction', DIRECTIONS);
  const prompts = {
    document: params.text('ingestion_prompt') ?? '',
    query: params.text('search_prompt') ?? '',
  };
  return {
    textsMax: params.count('max_client_batch_size') ?? TEXTS_MAX_USUAL,
    request: (texts, purpose) => ({
      url: `${endpoint}/embed`,
      ...bearer(key),
      body: {
        inputs: texts.map((text) => prompts[purpose] + text),
        truncate,
        ...(direction === undefined ? {} : { truncation_direction: direction }),
      },
    }),
    vectors: itemsOf,
  };
};
