import assert from 'node:assert/strict';
import { type Deployment, type DeploymentOptions, openDeployment } from '@elanus/coordinator/testing';
import type { MilvusError } from '@elanus/model';
import {
  type Draft,
  decode,
  encode,
  type MethodName,
  type Methods,
  methods,
  type schema_CollectionSchema,
} from '@elanus/proto';
import type { QueryWorker } from '@elanus/rpc';
import { LoopShare, ManualClock, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import type { CallContext } from '../handler.ts';
import type { ImportService } from '../import/import-service.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { accessHandlers } from '../start-access.ts';
import { createRequest } from '../testing/request-drafts.ts';
import { modelsFixture } from '../text/models-fixture.ts';
import { toldToClient } from '../transport/milvus-service.ts';

type RequestDraft<Name extends MethodName> = Draft<Methods[Name]['request']>;

/** What a client is told when a call fails. */
export interface Refusal {
  readonly code: number;
  readonly legacyCode: number;
  readonly reason: string;
}

/**
 * For tests: the handlers over real coordinators, called with messages that went over the codec. There are no
 * workers, so a call that reaches for rows fails in a way that is nobody's refusal.
 */
export class DefinitionFixture {
  readonly deployment: Deployment;
  readonly #handlers: ReturnType<typeof accessHandlers>;

  private constructor(deployment: Deployment) {
    this.deployment = deployment;
    this.#handlers = accessHandlers({
      ...deployment,
      reader: {} as QueryWorker,
      clock: new ManualClock(),
      share: new LoopShare(systemClock),
      logger: silentLogger,
      metrics: noMetrics,
      limits: DEFAULT_LIMITS,
      models: modelsFixture(),
      importing: { imports: deployment.imports, service: {} as ImportService },
      version: '2.6.0-test',
    });
  }

  static async open(options: DeploymentOptions = {}): Promise<DefinitionFixture> {
    return new DefinitionFixture(await openDeployment(options));
  }

  /** The answer, as a client decodes it. Rejects as the handler does. */
  async call<Name extends MethodName>(
    name: Name,
    draft: RequestDraft<Name>,
    database = 'default',
  ): Promise<Methods[Name]['response']> {
    const method = methods.find((each) => each.name === name)!;
    const handler = this.#handlers[name];
    assert.ok(handler !== undefined, `${name} is served`);
    const request = decode(method.request, encode(method.request, draft as never));
    const named = 'dbName' in request ? request.dbName : '';
    const context: CallContext = {
      database: named || database,
      signal: new AbortController().signal,
      peer: 'test',
    };
    const answer = await handler(request as never, context);
    const bytes = answer instanceof Uint8Array ? answer : encode(method.response, answer as never);
    return decode(method.response, bytes) as Methods[Name]['response'];
  }

  /** What the client is told; fails when the call succeeds or breaks in another way. */
  async refusal<Name extends MethodName>(
    name: Name,
    draft: RequestDraft<Name>,
    database?: string,
  ): Promise<Refusal> {
    const { code, legacyCode, message } = await this.failure(name, draft, database);
    return { code, legacyCode, reason: message };
  }

  /** The failure that the client is told of; fails when the call succeeds or breaks in another way. */
  async failure<Name extends MethodName>(
    name: Name,
    draft: RequestDraft<Name>,
    database?: string,
  ): Promise<MilvusError> {
    try {
      await this.call(name, draft, database);
    } catch (error) {
      const told = toldToClient(error);
      if (told === undefined) throw error;
      return told;
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
