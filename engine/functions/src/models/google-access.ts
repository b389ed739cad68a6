import { createPrivateKey, createSign } from 'node:crypto';
import { functionFailed, invalidParameter } from '@elanus/model';
import { memberOf } from './answer.ts';
import type { ModelRequest } from './model-client.ts';

/** Who asks, as Google knows him. */
export interface ServiceAccount {
  readonly email: string;
  /** PEM. A secret. */
  readonly privateKey: string;
  /** Where tokens are given out. */
  readonly tokenUrl: string;
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const LIFE_SECONDS = 3600;
/** A token that ends sooner is not used for another question. */
const REST_MS_MIN = 60_000;

/** @throws MilvusError 1100 for what is no service account */
export function readServiceAccount(text: string): ServiceAccount {
  const refused = invalidParameter('the credential of vertexai is no service account in JSON');
  try {
    const account: unknown = JSON.parse(text);
    const email = memberOf(account, 'client_email');
    const privateKey = memberOf(account, 'private_key');
    const tokenUrl = memberOf(account, 'token_uri') ?? TOKEN_URL;
    if (typeof email !== 'string' || typeof privateKey !== 'string' || typeof tokenUrl !== 'string')
      throw refused;
    createPrivateKey(privateKey);
    return { email, privateKey, tokenUrl };
  } catch {
    // Whatever is wrong with it, none of it may be repeated.
    throw refused;
  }
}

/** Gets tokens for an account, each for about an hour (RFC 7523). */
export class GoogleAccess {
  readonly #account: ServiceAccount;
  readonly #nowMs: () => number;
  #token: { readonly text: string; readonly untilMs: number } | null = null;

  constructor(account: ServiceAccount, nowMs: () => number) {
    this.#account = account;
    this.#nowMs = nowMs;
  }

  get secrets(): readonly string[] {
    return [this.#account.privateKey];
  }

  /** @throws MilvusError 2400 when there is none to be had */
  async token(ask: (request: ModelRequest) => Promise<unknown>): Promise<string> {
    const nowMs = this.#nowMs();
    if (this.#token !== null && this.#token.untilMs - nowMs > REST_MS_MIN) return this.#token.text;
    const answer = await ask({
      url: this.#account.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: this.#assertion(Math.floor(nowMs / 1000)),
      }).toString(),
      secrets: [this.#account.privateKey],
    });
    const text = memberOf(answer, 'access_token');
    const seconds = memberOf(answer, 'expires_in');
    if (typeof text !== 'string' || text === '')
      throw functionFailed('Call service failed, errs:[no access token]');
    this.#token = { text, untilMs: nowMs + 1000 * (typeof seconds === 'number' ? seconds : 0) };
    return text;
  }

  #assertion(nowSeconds: number): string {
    const { email, privateKey, tokenUrl } = this.#account;
    const claims = {
      iss: email,
      scope: SCOPE,
      aud: tokenUrl,
      iat: nowSeconds,
      exp: nowSeconds + LIFE_SECONDS,
    };
    const unsigned = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`;
    const signature = createSign('RSA-SHA256').update(unsigned).sign(privateKey, 'base64url');
    return `${unsigned}.${signature}`;
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
