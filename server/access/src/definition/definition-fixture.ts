import assert from 'node:assert/strict';
import { type Deployment, type DeploymentOptions, openDeployment } from '@elanus/coordinator/testing';
import { DataType, MilvusError } from '@elanus/model';
import {
  type Draft,
  decode,
  encode,
  type MethodName,
  type Methods,
  methods,
  type schema_CollectionSchema,
  type schema_FieldSchema,
} from '@elanus/proto';
import type { QueryWorker } from '@elanus/rpc';
import { LoopShare, ManualClock, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import type { CallContext } from '../handler.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { definitionHandlers } from './definition-handlers.ts';

type RequestDraft<Name extends MethodName> = Draft<Methods[Name]['request']>;

/** What a client is told when a call fails. */
export interface Refusal {
  readonly code: number;
  readonly legacyCode: number;
  readonly reason: string;
}

/** For tests: the handlers over real coordinators, called with messages that went over the codec. */
export class DefinitionFixture {
  readonly deployment: Deployment;
  readonly #handlers: ReturnType<typeof definitionHandlers>;

  private constructor(deployment: Deployment) {
    this.deployment = deployment;
    this.#handlers = definitionHandlers({
      ...deployment,
      reader: {} as QueryWorker,
      clock: new ManualClock(),
      share: new LoopShare(systemClock),
      logger: silentLogger,
      metrics: noMetrics,
      limits: DEFAULT_LIMITS,
      version: '2.6.0-test',
    });
  }

  static async open(options: DeploymentOptions = {}): Promise<DefinitionFixture> {
    return new DefinitionFixture(await openDeployment(options));
  }

  /** The answer, as a client decodes it. Rejects with the handler's MilvusError. */
  async call<Name extends MethodName>(
    name: Name,
    draft: RequestDraft<Name>,
    database = 'default',
  ): Promise<Methods[Name]['response']> {
    const method = methods.find((each) => each.name === name)!;
    const handler = this.#handlers[name];
    assert.ok(handler !== undefined, `${name} is served`);
    const request = decode(method.request, encode(method.request, draft as never));
    const context: CallContext = { database, signal: new AbortController().signal, peer: 'test' };
    const answer = await handler(request as never, context);
    return decode(method.response, encode(method.response, answer as never)) as Methods[Name]['response'];
  }

  /** What the client is told; fails when the call succeeds or breaks in another way. */
  async refusal<Name extends MethodName>(
    name: Name,
    draft: RequestDraft<Name>,
    database?: string,
  ): Promise<Refusal> {
    try {
      await this.call(name, draft, database);
    } catch (error) {
      if (!(error instanceof MilvusError)) throw error;
      return { code: error.code, legacyCode: error.legacyCode, reason: error.message };
    }
    assert.fail(`${name} succeeded`);
  }

  /** Everything that the catalog holds, to see that a refused call changed nothing. */
  catalogBytes(): string {
    const windowless = this.deployment.store.keys().filter((key) => !key.startsWith('catalog/window/'));
    return JSON.stringify([windowless, this.deployment.store.commits.length]);
  }

  async createCollection(
    name: string,
    schema: Draft<schema_CollectionSchema> = {},
    request: RequestDraft<'CreateCollection'> = {},
  ): Promise<void> {
    await this.call('CreateCollection', createRequest(name, schema, request));
  }
}

/** A request that is right in every respect; `schema` and `request` put something else in. */
export function createRequest(
  name: string,
  schema: Draft<schema_CollectionSchema> = {},
  request: RequestDraft<'CreateCollection'> = {},
): RequestDraft<'CreateCollection'> {
  const message = { name, fields: [key(), vector()], ...schema };
  return { collectionName: name, schema: encode('schema.CollectionSchema', message), ...request };
}

export function key(options: Draft<schema_FieldSchema> = {}): Draft<schema_FieldSchema> {
  return { name: 'id', dataType: DataType.Int64, isPrimaryKey: true, ...options };
}

export function vector(options: Draft<schema_FieldSchema> = {}): Draft<schema_FieldSchema> {
  return { name: 'vector', dataType: DataType.FloatVector, typeParams: params({ dim: '4' }), ...options };
}

export function text(options: Draft<schema_FieldSchema> = {}): Draft<schema_FieldSchema> {
  return { name: 'text', dataType: DataType.VarChar, typeParams: params({ max_length: '64' }), ...options };
}

export function params(pairs: Readonly<Record<string, string>>) {
  return Object.entries(pairs).map(([name, value]) => ({ key: name, value }));
}
