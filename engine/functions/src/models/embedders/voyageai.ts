import { DataType } from '@elanus/model';
import { bearer, type OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';
import { openAiVectors } from './openai.ts';

const URL = 'https://api.voyageai.com/v1/embeddings';

export const openVoyageAi: OpenEmbeddingService = (options) => {
  const { params, provider, field, dim } = options;
  const key = requiredSecret(options, 'apikey', 'MILVUS_VOYAGEAI_API_KEY');
  const model = params.text('model_name') ?? '';
  const truncation = params.flag('truncation') ?? false;
  const kind = field.dataType === DataType.Int8Vector ? 'int8' : 'float';
  return {
    textsMax: 128,
    request: (input, purpose) => ({
      url: provider.url ?? URL,
      ...bearer(key),
      body: {
        model,
        input,
        input_type: purpose,
        truncation,
        output_dtype: kind,
        ...(dim === undefined ? {} : { output_dimension: dim }),
      },
    }),
    vectors: openAiVectors,
  };
};
