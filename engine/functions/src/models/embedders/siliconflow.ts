import { bearer, type OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';
import { openAiVectors } from './openai.ts';

const URL = 'https://api.siliconflow.cn/v1/embeddings';

export const openSiliconFlow: OpenEmbeddingService = (options) => {
  const { params, provider, dim } = options;
  const key = requiredSecret(options, 'apikey', 'MILVUS_SILICONFLOW_API_KEY');
  const model = params.text('model_name') ?? '';
  return {
    textsMax: 32,
    request: (input) => ({
      url: provider.url ?? URL,
      ...bearer(key),
      body: { model, input, encoding_format: 'float', ...(dim === undefined ? {} : { dimensions: dim }) },
    }),
    vectors: openAiVectors,
  };
};
