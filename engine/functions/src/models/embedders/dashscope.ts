import { inOrder, memberOf } from '../answer.ts';
import { bearer, type OpenEmbeddingService } from '../embedding-service.ts';
import { requiredSecret } from '../secrets.ts';

const URL = 'https://dashscope.aliyuncs.com/api/v1/services/embeddings/text-embedding/text-embedding';
const TEXTS_MAX = 25;
const TEXTS_MAX_OF_VERSION_3 = 6;

/** Models of Alibaba. */
export const openDashScope: OpenEmbeddingService = (options) => {
  const { params, provider, dim } = options;
  const key = requiredSecret(options, 'apikey', 'MILVUS_DASHSCOPE_API_KEY');
  const model = params.text('model_name') ?? '';
  return {
    textsMax: model === 'text-embedding-v3' ? TEXTS_MAX_OF_VERSION_3 : TEXTS_MAX,
    request: (texts, purpose) => ({
      url: provider.url ?? URL,
      ...bearer(key),
      body: {
        model,
        input: { texts },
        parameters: {
          text_type: purpose,
          output_type: 'dense',
          ...(dim === undefined ? {} : { dimension: dim }),
        },
      },
    }),
    vectors: (answer) =>
      inOrder(memberOf(answer, 'output', 'embeddings'), 'text_index').map((item) =>
        memberOf(item, 'embedding'),
      ),
  };
};
