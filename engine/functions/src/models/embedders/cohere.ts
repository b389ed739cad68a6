import { DataType } from '@elanus/model';
import { itemsOf, memberOf } from '../answer.ts';
import { bearer, type OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';

const URL = 'https://api.cohere.com/v2/embed';
const TRUNCATIONS = ['NONE', 'START', 'END'];

export const openCohere: OpenEmbeddingService = (options) => {
  const { params, provider, field, dim } = options;
  const key = requiredSecret(options, 'apikey', 'MILVUS_COHERE_API_KEY');
  const model = params.text('model_name') ?? '';
  const truncate = params.word('truncate', TRUNCATIONS) ?? 'END';
  const kind = field.dataType === DataType.Int8Vector ? 'int8' : 'float';
  // The second generation takes no purpose, those after it want one.
  const takesPurpose = !model.endsWith('v2.0');
  return {
    textsMax: 96,
    request: (texts, purpose) => ({
      url: provider.url ?? URL,
      ...bearer(key),
      body: {
        model,
        texts,
        embedding_types: [kind],
        truncate,
        ...(takesPurpose ? { input_type: `search_${purpose}` } : {}),
        ...(dim === undefined ? {} : { output_dimension: dim }),
      },
    }),
    vectors: (answer) => itemsOf(memberOf(answer, 'embeddings', kind)),
  };
};
