import { invalidParameter } from '@elanus/model';
import { type JsonObject, member, textList } from './json-options.ts';
import type { GrpcOptions } from './tokenizers/grpc/grpc-analyzer.ts';
import type { TokenizerParameter } from './tokenizers/grpc/tokenizer-messages.ts';

/** They go with every text. */
const PARAMETERS_UNITS_MAX = 16_384;
const DEFAULT_TOKENS_MAX = 1024;

/** @throws MilvusError 1100 in Milvus' words, as far as it has some */
export function readGrpcOptions(options: JsonObject): GrpcOptions {
  const endpoint = readEndpoint(member(options, 'endpoint'));
  // Certificates are files of the server's machine, which users do not choose among.
  if (member(options, 'tls') !== undefined)
    throw invalidParameter(
      'grpc tokenizer tls is not supported: https endpoints are asked with usual certificates',
    );
  const parameters = readParameters(member(options, 'parameters') ?? []);
  const given = member(options, 'default_tokens');
  const defaultTokens =
    given === undefined
      ? null
      : textList(given, 'default_tokens of grpc tokenizer should be a list of strings');
  if (defaultTokens !== null && defaultTokens.length > DEFAULT_TOKENS_MAX)
    throw invalidParameter(`grpc tokenizer has more than ${DEFAULT_TOKENS_MAX} default_tokens`);
  return { endpoint, parameters, defaultTokens };
}

function readEndpoint(given: unknown): string {
  if (given === undefined) throw invalidParameter('grpc tokenizer must set endpoint');
  if (typeof given !== 'string') throw invalidParameter('grpc tokenizer endpoint must be string');
  if (given === '') throw invalidParameter('grpc tokenizer endpoint must not be empty');
  const url = URL.parse(given);
  if (!/^https?:\/\//.test(given) || url === null)
    throw invalidParameter('grpc tokenizer endpoint must start with http:// or https://');
  if (url.origin !== url.href.replace(/\/$/, ''))
    throw invalidParameter('grpc tokenizer endpoint must be a host, perhaps with a port');
  return url.origin;
}

function readParameters(given: unknown): readonly TokenizerParameter[] {
  if (!Array.isArray(given)) throw invalidParameter('grpc tokenizer parameters must be array');
  const parameters = given.map(readParameter);
  let units = 0;
  for (const { key, values } of parameters) for (const each of [key, ...values]) units += each.length + 1;
  if (units <= PARAMETERS_UNITS_MAX) return parameters;
  throw invalidParameter(`grpc tokenizer parameters have more than ${PARAMETERS_UNITS_MAX} characters`);
}

function readParameter(given: unknown): TokenizerParameter {
  const item = 'grpc tokenizer parameters item';
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidParameter(`${item} must be object`);
  const key = member(given as JsonObject, 'key');
  const values = member(given as JsonObject, 'values');
  if (key === undefined) throw invalidParameter(`${item} must have key`);
  if (typeof key !== 'string') throw invalidParameter(`${item} key must be string`);
  if (values === undefined) throw invalidParameter(`${item} must have values`);
  if (!Array.isArray(values)) throw invalidParameter(`${item} values must be array`);
  for (const value of values)
    if (typeof value !== 'string')
      throw invalidParameter(`${item} value ${JSON.stringify(value)} is not string`);
  return { key, values };
}
