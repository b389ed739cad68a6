import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { DataType, type FieldId, type FieldSchema, MilvusError } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';
import { systemClock } from '@elanus/runtime';
import { ModelClient } from './model-client.ts';
import { MODEL_SETTINGS_DEFAULT, type ModelSettings, USUAL_PROVIDER } from './model-settings.ts';
import { type Asked, type Said, StandIn } from './testing/stand-in.ts';
import { TextEmbedder } from './text-embedder.ts';

const DIM = 3;
const field = (options: Partial<FieldSchema> = {}): FieldSchema =>
  fieldFixture(7 as FieldId, 'meaning', DataType.FloatVector, { dim: DIM, ...options });
const client = new ModelClient({
  clock: systemClock,
  parse: async (bytes) => JSON.parse(bytes.toString()) as unknown,
  timeoutMs: 10_000,
});

/** The vector that a stand-in has for a text. */
const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0), -1];

/** How each service is asked and answers, told apart from the code that does it. */
interface Format {
  readonly params?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly path: RegExp;
  /** The texts of a question, and what else it must say. */
  readonly texts: (body: never, purpose: 'document' | 'query') => readonly string[];
  readonly answer: (vectors: readonly (readonly number[])[]) => unknown;
  readonly head?: (headers: Asked['headers']) => void;
}

const openAiAnswer: Format['answer'] = (vectors) => ({
  // Out of order: the places count.
  data: vectors.map((embedding, index) => ({ index, embedding })).reverse(),
});
const bearer = (headers: Asked['headers']) => assert.equal(headers.authorization, 'Bearer hush');
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = (tokenUrl: string) =>
  Buffer.from(
    JSON.stringify({
      client_email: 'me@example.org',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: tokenUrl,
    }),
  ).toString('base64');

const FORMATS: Readonly<Record<string, Format>> = {
  openai: {
    params: { user: 'ada', dim: '3' },
    environment: { MILVUS_OPENAI_API_KEY: 'hush' },
    path: /^\/$/,
    texts: ({ input, ...rest }: Record<string, never>) => {
      assert.deepEqual(rest, { model: 'm', dimensions: 3, user: 'ada', encoding_format: 'float' });
      return input!;
    },
    answer: openAiAnswer,
    head: bearer,
  },
  azure_openai: {
    environment: { MILVUSAI_AZURE_OPENAI_API_KEY: 'hush' },
    path: /^\/openai\/deployments\/m\/embeddings\?api-version=/,
    texts: ({ input }: Record<string, never>) => input!,
    answer: openAiAnswer,
    head: (headers) => assert.equal(headers['api-key'], 'hush'),
  },
  cohere: {
    environment: { MILVUS_COHERE_API_KEY: 'hush' },
    path: /^\/$/,
    texts: ({ texts, ...rest }: Record<string, never>, purpose) => {
      const wanted = {
        model: 'm',
        embedding_types: ['float'],
        truncate: 'END',
        input_type: `search_${purpose}`,
      };
      assert.deepEqual(rest, wanted);
      return texts!;
    },
    answer: (float) => ({ id: 'x', embeddings: { float } }),
    head: bearer,
  },
  voyageai: {
    environment: { MILVUS_VOYAGEAI_API_KEY: 'hush' },
    path: /^\/$/,
    texts: ({ input, ...rest }: Record<string, never>, input_type) => {
      assert.deepEqual(rest, { model: 'm', input_type, truncation: false, output_dtype: 'float' });
      return input!;
    },
    answer: openAiAnswer,
    head: bearer,
  },
  siliconflow: {
    environment: { MILVUS_SILICONFLOW_API_KEY: 'hush' },
    path: /^\/$/,
    texts: ({ input }: Record<string, never>) => input!,
    answer: openAiAnswer,
    head: bearer,
  },
  dashscope: {
    environment: { MILVUS_DASHSCOPE_API_KEY: 'hush' },
    path: /^\/$/,
    texts: ({ input, parameters }: Record<string, { texts: string[] }>, purpose) => {
      assert.deepEqual(parameters, { text_type: purpose, output_type: 'dense' });
      return input!.texts;
    },
    answer: (vectors) => ({
      output: { embeddings: vectors.map((embedding, text_index) => ({ text_index, embedding })).reverse() },
    }),
    head: bearer,
  },
  gemini: {
    environment: { MILVUS_GEMINI_API_KEY: 'hush' },
    path: /^\/m:batchEmbedContents$/,
    texts: ({ requests }: Record<string, { content: { parts: { text: string }[] } }[]>) =>
      requests!.map(({ content }) => content.parts[0]!.text),
    answer: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
    head: (headers) => assert.equal(headers['x-goog-api-key'], 'hush'),
  },
  bedrock: {
    params: { region: 'eu-central-1' },
    environment: { MILVUS_BEDROCK_ACCESS_KEY_ID: 'AKID', MILVUS_BEDROCK_SECRET_ACCESS_KEY: 'hush' },
    path: /^\/model\/m\/invoke$/,
    texts: ({ inputText, normalize }: Record<string, never>) => {
      assert.equal(normalize, true);
      return [inputText!];
    },
    answer: ([embedding]) => ({ embedding }),
    head: ({ authorization }) =>
      assert.match(
        authorization!,
        /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/bedrock\/aws4_request, /,
      ),
  },
  vertexai: {
    params: { projectid: 'p', credential: 'google' },
    path: /^\/$/,
    texts: ({ instances }: Record<string, { content: string; task_type: string }[]>, purpose) =>
      instances!.map(({ content, task_type }) => {
        assert.equal(task_type, `RETRIEVAL_${purpose.toUpperCase()}`);
        return content;
      }),
    answer: (vectors) => ({ predictions: vectors.map((values) => ({ embeddings: { values } })) }),
    head: ({ authorization }) => assert.equal(authorization, 'Bearer a-token'),
  },
  tei: {
    params: { ingestion_prompt: 'D:', search_prompt: 'Q:', max_client_batch_size: '2' },
    path: /^\/embed$/,
    texts: ({ inputs, truncate }: Record<string, string[]>, purpose) => {
      assert.equal(truncate, false);
      const prompt = purpose === 'document' ? 'D:' : 'Q:';
      return inputs!.map((text) => {
        assert.ok(text.startsWith(prompt));
        return text.slice(2);
      });
    },
    answer: (vectors) => vectors,
  },
};

function settingsFor(
  name: string,
  url: string,
  environment: Readonly<Record<string, string>> = {},
): ModelSettings {
  return {
    ...MODEL_SETTINGS_DEFAULT,
    embedding: new Map([[name, { ...USUAL_PROVIDER, url }]]),
    credentials: new Map([['google', new Map([['credential_json', account(`${url}/token`)]])]]),
    environment,
  };
}

function open(
  name: string,
  url: string,
  options: { params?: object; field?: FieldSchema; settings?: object } = {},
) {
  const format = FORMATS[name];
  const endpoint = name === 'tei' ? { endpoint: url } : {};
  const params = { provider: name, model_name: 'm', ...endpoint, ...format?.params, ...options.params };
  return new TextEmbedder(
    {
      name: 'f',
      params: Object.entries(params).map(([key, value]) => ({ key, value: String(value) })),
      field: options.field ?? field(),
    },
    {
      settings: { ...settingsFor(name, url, format?.environment), ...options.settings },
      client,
      clock: systemClock,
    },
  );
}

const floats = (bytes: Uint8Array) => [...new Float32Array(new Uint8Array(bytes).buffer)];

for (const [name, format] of Object.entries(FORMATS)) {
  test(`${name} is asked in its words, for what is kept and for what is sought`, async () => {
    for (const purpose of ['document', 'query'] as const) {
      await using service = await StandIn.start(({ path, headers, body }): Said => {
        if (path === '/token') return { body: { access_token: 'a-token', expires_in: 3600 } };
        assert.match(path, format.path);
        format.head?.(headers);
        return { body: format.answer(format.texts(body, purpose).map(vectorOf)) };
      });
      const texts = ['one', 'twelve', 'four'];
      const bytes = await open(name, service.url).embed(texts, purpose);
      assert.deepEqual(floats(bytes), texts.flatMap(vectorOf));
    }
  });
}

test('texts are asked for in batches, a token once', async () => {
  await using service = await StandIn.start(({ path, body }: Asked) =>
    path === '/token'
      ? { body: { access_token: 'a-token', expires_in: 3600 } }
      : { body: FORMATS.vertexai!.answer(FORMATS.vertexai!.texts(body, 'document').map(vectorOf)) },
  );
  const embedder = open('vertexai', service.url);
  await embedder.embed(['check'], 'document');
  const texts = Array.from({ length: 300 }, (_, at) => `text ${at}`);
  assert.deepEqual(floats(await embedder.embed(texts, 'document')), texts.flatMap(vectorOf));
  const paths = service.asked.map(({ path }) => path);
  assert.deepEqual(paths, ['/token', '/', '/', '/', '/']);
});

test('vectors of int8 come from those that have them', async () => {
  await using service = await StandIn.start(() => ({ body: { embeddings: { int8: [[1, -128, 127]] } } }));
  const int8 = field({ dataType: DataType.Int8Vector });
  const bytes = await open('cohere', service.url, { field: int8 }).embed(['a'], 'document');
  assert.deepEqual([...new Int8Array(bytes)], [1, -128, 127]);
  service.say(() => ({ body: { embeddings: { int8: [[1, 300, 0]] } } }));
  await assert.rejects(
    open('cohere', service.url, { field: int8 }).embed(['a'], 'document'),
    /something else than numbers/,
  );
  assert.throws(() => open('openai', service.url, { field: int8 }), /field type mismatch/);
});

const rubbish: Readonly<Record<string, readonly [answer: unknown, text: RegExp]>> = {
  'fewer vectors than texts': [openAiAnswer([[1, 2, 3]]), /does not match text:\[2\], embedding:\[1\]/],
  'vectors of another length': [
    openAiAnswer([
      [1, 2],
      [1, 2],
    ]),
    /required embedding dim is \[3\], but .* is \[2\]/,
  ],
  'the vector of a text twice': [
    { data: [0, 0].map((index) => ({ index, embedding: [1, 2, 3] })) },
    /required embedding dim is \[3\], but .* is \[0\]/,
  ],
  'no numbers': [openAiAnswer([[1, 2, 3], [1, null, 3] as never]), /something else than numbers/],
  'numbers beyond float32': [
    openAiAnswer([
      [1, 2, 3],
      [1, 1e300, 3],
    ]),
    /something else than numbers/,
  ],
  'nothing of the kind': ['all is well', /does not match text:\[2\], embedding:\[0\]/],
};
for (const [what, [answer, text]] of Object.entries(rubbish)) {
  test(`${what} is an error, not an answer`, async () => {
    await using service = await StandIn.start(() => ({ body: JSON.stringify(answer) }));
    const failure = await open('openai', service.url)
      .embed(['a', 'b'], 'document')
      .catch((error: unknown) => error);
    assert.ok(failure instanceof MilvusError);
    assert.equal(failure.code, 2400);
    assert.match(failure.message, text);
  });
}

test('one batch that fails fails all of them', async () => {
  await using service = await StandIn.start(({ body }) => {
    const { input } = body as { input: string[] };
    return input.includes('bad')
      ? { status: 400, body: 'bad text' }
      : { body: openAiAnswer(input.map(vectorOf)) };
  });
  const texts = Array.from({ length: 200 }, (_, at) => (at === 150 ? 'bad' : `t${at}`));
  await assert.rejects(open('openai', service.url).embed(texts, 'document'), /400 Bad Request, bad text/);
});

const nowhere = 'http://127.0.0.1:1';
const mistakes: Readonly<Record<string, readonly [make: () => unknown, text: RegExp]>> = {
  'an unknown provider': [
    () => open('acme', nowhere),
    /^unsupported text embedding service provider: \[acme\] , list of supported \[openai, azure_openai, /,
  ],
  'a provider that is switched off': [
    () =>
      open('openai', nowhere, {
        settings: { embedding: new Map([['openai', { ...USUAL_PROVIDER, isEnabled: false }]]) },
      }),
    /^text embedding model provider \[openai\] is disabled/,
  ],
  'no key': [
    () => open('openai', nowhere, { settings: { environment: {} } }),
    /configure the MILVUS_OPENAI_API_KEY environment/,
  ],
  'an unknown credential': [
    () => open('openai', nowhere, { params: { credential: 'x' } }),
    /^x is not a apikey crediential/,
  ],
  'another dimension than the field has': [
    () => open('openai', nowhere, { params: { dim: '4' } }),
    /\[3\] does not match the dimension \[4\]/,
  ],
  'a dimension that is none': [
    () => open('openai', nowhere, { params: { dim: 'many' } }),
    /dimension \[many\] provided/,
  ],
  'a host that nobody allowed': [
    () => open('tei', nowhere, { params: { endpoint: 'http://10.0.0.1:80' } }),
    /is not among those that the server's configuration names/,
  ],
  'no host': [
    () => open('tei', nowhere, { params: { endpoint: 'file:///etc/passwd' } }),
    /not a valid http\/https link/,
  ],
  'a region that leads elsewhere': [
    () => open('bedrock', nowhere, { params: { region: 'a.example.org/' } }),
    /is invalid/,
  ],
};
for (const [what, [make, text]] of Object.entries(mistakes)) {
  test(`${what} is refused before anybody is asked`, () => {
    assert.throws(
      make,
      (error: unknown) => error instanceof MilvusError && error.code === 1100 && text.test(error.message),
    );
  });
}

test('too many texts, and empty ones, are refused', async () => {
  const embedder = open('openai', nowhere);
  await assert.rejects(
    embedder.embed(new Array(641).fill('a'), 'document'),
    /numRows \[641\] > function \[f\]'s max batch \[640\]/,
  );
  await assert.rejects(embedder.embed(['a', ''], 'query'), /empty string in the queries/);
});
