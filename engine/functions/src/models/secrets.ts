import { invalidParameter } from '@elanus/model';
import type { FunctionParams } from './function-params.ts';
import type { ModelSettings, ProviderSettings } from './model-settings.ts';

/** Where the secrets of one function are looked for. */
export interface SecretSource {
  readonly params: FunctionParams;
  readonly provider: ProviderSettings;
  readonly settings: ModelSettings;
}

/**
 * A secret: of the credential that the function names, else of the one that the configuration of the provider names, else
 * of an environment variable, which once began with `MILVUSAI_`. `null` when there is none.
 * @throws MilvusError 1100 when a credential is named that the configuration does not have, or that lacks `member`
 */
export function secretOf(
  { params, provider, settings }: SecretSource,
  member: string,
  variable: string,
): string | null {
  const name = params.text('credential') ?? provider.credential;
  if (name !== null && name !== '') {
    const secret = settings.credentials.get(name)?.get(member);
    if (secret !== undefined) return secret;
    throw invalidParameter(`${name} is not a ${member} crediential, can not find key: ${member}`);
  }
  const { environment } = settings;
  return environment[variable] || environment[variable.replace(/^MILVUS_/, 'MILVUSAI_')] || null;
}

/** As `secretOf`. @throws MilvusError 1100 when there is none, too */
export function requiredSecret(source: SecretSource, member: string, variable: string): string {
  const secret = secretOf(source, member, variable);
  if (secret !== null) return secret;
  throw invalidParameter(
    `missing credentials config or configure the ${variable} environment variable in the Milvus service`,
  );
}

/**
 * The endpoint that a function names, without a slash at its end.
 * @throws MilvusError 1100 for one that is no address, and one that the configuration does not allow: users would
 *   otherwise send the server wherever it can reach
 */
export function allowedEndpoint({ params, provider }: SecretSource, key: string): string {
  const endpoint = params.text('endpoint');
  if (endpoint === undefined || endpoint === '') throw invalidParameter('function lost params endpoint');
  return requireAllowed(endpoint, provider.url, key);
}

/** An endpoint without a slash at its end. @throws MilvusError 1100 unless it is one of `urls`, which `key` says */
export function requireAllowed(endpoint: string, urls: string | null, key: string): string {
  const origin = originOf(endpoint);
  if (origin === null) throw invalidParameter(`endpoint: [${endpoint}] is not a valid http/https link`);
  const allowed = (urls ?? '').split(',').map((url) => originOf(url.trim()));
  if (allowed.includes(origin)) return origin;
  throw invalidParameter(
    `endpoint: [${endpoint}] is not among those that the server's configuration names in ${key}`,
  );
}

function originOf(text: string): string | null {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : null;
}
