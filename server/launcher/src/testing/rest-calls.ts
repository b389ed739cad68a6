import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@elanus/runtime';
import { readConfiguration } from '../config/read-configuration.ts';
import { launch, type RunningServer } from '../launch.ts';

/** What a REST call comes to. */
export interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
}

/** A server in this process on the data directory at `path`. */
export async function launched(path: string, logger: Logger = silentLogger): Promise<RunningServer> {
  const configuration = await readConfiguration({ data: path, port: '0', adminPort: '0' }, {}, '/');
  return await launch({ configuration, logger });
}

/** Calls `/v2/vectordb/<path>`. */
export async function send({ grpcPort }: RunningServer, path: string, body: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${grpcPort}/v2/vectordb/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return JSON.parse(await response.text(), exact) as Answer;
}

/** Ids are larger than what a double holds: they stay text. */
function exact(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact ? context?.source : value;
}

/** As `send`, of a call that must succeed. */
export async function ask(server: RunningServer, path: string, body: object): Promise<Answer> {
  const answer = await send(server, path, body);
  assert.equal(answer.code, 0, `${path}: ${answer.message}`);
  return answer;
}

/** The keys of all rows, up to 16,384, with a strong read. */
export async function queryKeys(
  server: RunningServer,
  collectionName: string,
  more: object = {},
): Promise<Answer> {
  return await send(server, 'entities/query', {
    collectionName,
    filter: 'id >= 0',
    outputFields: ['id'],
    limit: 16_384,
    consistencyLevel: 'Strong',
    ...more,
  });
}

/** Those of an answer that must be a success, ascending. */
export function keysOf({ code, message, data }: Answer): readonly number[] {
  assert.equal(code, 0, message ?? 'no message');
  const rows = (data ?? []) as readonly { readonly id: number | string }[];
  return rows.map(({ id }) => Number(id)).sort((left, right) => left - right);
}

/** The paths of all files in a directory and below. */
export function filesIn(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
