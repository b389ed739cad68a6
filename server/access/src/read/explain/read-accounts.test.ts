import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode, type Methods } from '@elanus/proto';
import type { ReadExplanation, ReadOptions, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { collectionOf, NOW, ReadFixture } from '../read-fixture.ts';
import { searchHandler } from '../search.ts';
import { ReadAccounts } from './read-accounts.ts';

/** What the worker tells of a search. */
const READ: ReadExplanation = {
  kind: 'search',
  readTimestamp: NOW,
  target: { fieldName: 'vector', metric: 'L2', queries: 1 },
  stages: [{ stage: 'search', ms: 2 }],
  filterBytes: 0,
  parts: [],
  analysis: null,
};

interface LoggedLine {
  readonly level: 'info' | 'warn';
  readonly fields: { readonly ms: number; readonly explain: string | null; readonly collection: string };
}

/** A server whose searches take as long as the test says. */
class Scene {
  readonly fixture = new ReadFixture();
  readonly lines: LoggedLine[] = [];
  searchMs = 2;
  asked: ReadOptions['explain'];
  readonly #accounts: ReadAccounts;
  readonly #dependencies: AccessDependencies;

  constructor() {
    const { fixture } = this;
    const note = (level: LoggedLine['level']) => (fields: object) =>
      void this.lines.push({ level, fields: fields as LoggedLine['fields'] });
    const { dependencies } = fixture;
    const search = async (task: SearchTask, options: ReadOptions) => {
      this.asked = options.explain;
      fixture.monotonicMs += this.searchMs;
      options.explain?.add(READ);
      return await dependencies.reader.search(task, options);
    };
    this.#dependencies = {
      ...dependencies,
      logger: { ...dependencies.logger, info: note('info'), warn: note('warn') },
      reader: { ...dependencies.reader, search },
    };
    this.#accounts = new ReadAccounts(this.#dependencies, 'Search', new Map());
  }

  /** The explanation in the answer; `null` when there is none. */
  async search(parameters: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown> | null> {
    const searchParams = Object.entries({ topk: '3', ...parameters }).map(([key, value]) => ({ key, value }));
    const values = [new Uint8Array(Float32Array.of(1, 2).buffer)];
    const placeholderGroup = encode('common.PlaceholderGroup', {
      placeholders: [{ tag: '$0', type: 101, values }],
    });
    const draft = { collectionName: 'c', dslType: 1, nq: 1n, placeholderGroup, searchParams };
    const request = decode(
      'milvus.SearchRequest',
      encode('milvus.SearchRequest', draft),
    ) as Methods['Search']['request'];
    const answer = await searchHandler(this.#dependencies, this.#accounts)(request, this.fixture.context);
    const { status, results } = decode('milvus.SearchResults', answer as Uint8Array);
    assert.equal(status?.code, 0);
    assert.equal(decode('schema.SearchResultData', results!).scores.length, 3, 'the hits are there as ever');
    const text = status?.extraInfo.get('explain');
    return text === undefined ? null : JSON.parse(text);
  }
}

describe('accounts of reads', () => {
  test('are not opened for those who do not ask', async () => {
    const scene = new Scene();
    assert.equal(await scene.search(), null);
    assert.equal(scene.asked, undefined);
    assert.deepEqual(scene.lines, []);
  });

  for (const [name, parameters, level] of [
    ['beside the other parameters', { explain: 'True' }, 'explain'],
    ['inside of params', { params: '{"explain":true}' }, 'explain'],
    ['with an analysis', { params: '{"explain":"analyze"}' }, 'analyze'],
  ] as const) {
    test(`are opened when a search asks ${name}`, async () => {
      const scene = new Scene();
      const explanation = await scene.search(parameters);
      assert.equal(scene.asked?.level, level);
      assert.deepEqual(explanation, {
        request: 'Search',
        collection: 'c',
        ms: 2,
        stages: { plan: 0, read: 2, rank: 0, fetch: 0, encode: 0 },
        reads: [
          {
            kind: 'search',
            field: 'vector',
            metric: 'L2',
            queries: 1,
            read_timestamp: Number(NOW),
            ms: 2,
            stages: { search: 2 },
            segments: [],
          },
        ],
      });
      assert.deepEqual(
        scene.lines.map(({ level: logged, fields }) => [logged, JSON.parse(fields.explain!)]),
        [['info', explanation]],
      );
    });
  }

  test('are opened when the collection says so, unless the search says otherwise', async () => {
    const scene = new Scene();
    scene.fixture.collection = {
      ...collectionOf(),
      properties: [{ key: 'elanus.explain', value: 'analyze' }],
    };
    assert.notEqual(await scene.search(), null);
    assert.equal(scene.asked?.level, 'analyze');
    assert.equal(await scene.search({ explain: 'false' }), null);
  });

  test('are refused in words that mean nothing', async () => {
    await assert.rejects(new Scene().search({ explain: 'loudly' }), {
      code: 1100,
      message: /explain \[loudly\] is invalid/,
    });
  });

  test('of slow searches are logged, from the second one on with all that is known', async () => {
    const scene = new Scene();
    scene.searchMs = 6000;
    assert.equal(await scene.search(), null);
    assert.equal(await scene.search(), null, 'the log asks for it, the client does not');
    scene.searchMs = 1;
    await scene.search();
    scene.fixture.monotonicMs += 60_000;
    scene.asked = undefined;
    await scene.search();
    assert.equal(scene.asked, undefined, 'after a minute nobody watches any more');
    assert.deepEqual(
      scene.lines.map(({ level, fields }) => [level, fields.collection, fields.ms, fields.explain !== null]),
      [
        ['warn', 'c', 6000, false],
        ['warn', 'c', 6000, true],
      ],
    );
  });
});
