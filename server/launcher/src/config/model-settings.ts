import { MODEL_SETTINGS_DEFAULT, type ModelSettings, type ProviderSettings } from '@elanus/functions';
import { flag, type Setting, seconds, text } from './setting.ts';

const EMBEDDING_PROVIDERS = [
  ...['openai', 'azure_openai', 'dashscope', 'bedrock', 'vertexai'],
  ...['voyageai', 'cohere', 'siliconflow', 'tei', 'gemini'],
];
const RERANK_PROVIDERS = ['vllm', 'tei', 'siliconflow', 'cohere', 'voyageai', 'ali'];

/** Where the keys of each provider begin. */
const SECTIONS = {
  embedding: EMBEDDING_PROVIDERS.map((name) => ({
    name,
    prefix: `function.textEmbedding.providers.${name}.`,
  })),
  rerank: RERANK_PROVIDERS.map((name) => ({ name, prefix: `function.rerank.model.providers.${name}.` })),
} as const;

/** The section of secrets, whose names are whoever's who writes the file. */
export const CREDENTIALS_SECTION = 'credential.';

const TIMEOUT = seconds('elanus.models.timeout', MODEL_SETTINGS_DEFAULT.timeoutMs);

const TOKENIZERS = text('elanus.analyzer.grpc.url');

/** Keys of the models that the server may ask, mostly Milvus', and of tokenizers that are services. */
export const MODEL_KEYS: readonly string[] = [
  TIMEOUT.key,
  TOKENIZERS.key,
  ...[...SECTIONS.embedding, ...SECTIONS.rerank].flatMap(({ prefix }) =>
    ['enable', 'credential', 'url', 'resource_name'].map((key) => prefix + key),
  ),
];

export interface ModelSettingsSources {
  readonly read: <Value>(setting: Setting<Value>) => Value;
  /** What the file has below a section, with the keys as they stand there. */
  readonly below: (section: string) => Iterable<readonly [key: string, value: unknown]>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws StartError for a value that can't be */
export function readModelSettings({ read, below, environment }: ModelSettingsSources): ModelSettings {
  const providerOf = (prefix: string): ProviderSettings => ({
    isEnabled: read(flag(`${prefix}enable`, true)),
    credential: read(text(`${prefix}credential`)),
    url: read(text(`${prefix}url`)),
    resourceName: read(text(`${prefix}resource_name`)),
  });
  const providersOf = (section: keyof typeof SECTIONS) =>
    new Map(SECTIONS[section].map(({ name, prefix }) => [name, providerOf(prefix)]));
  const credentials = new Map<string, Map<string, string>>();
  for (const [key, value] of below(CREDENTIALS_SECTION)) {
    const [, name, member] = key.split('.');
    if (name === undefined || member === undefined) continue;
    const members = credentials.get(name) ?? new Map<string, string>();
    credentials.set(name, members.set(member.toLowerCase(), String(value)));
  }
  return {
    ...MODEL_SETTINGS_DEFAULT,
    embedding: providersOf('embedding'),
    rerank: providersOf('rerank'),
    tokenizers: read(TOKENIZERS),
    credentials,
    environment,
    timeoutMs: read(TIMEOUT),
  };
}
