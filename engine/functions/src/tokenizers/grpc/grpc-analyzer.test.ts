import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MilvusError } from '@elanus/model';
import { MODEL_SETTINGS_DEFAULT } from '../../models/model-settings.ts';
import { Models } from '../../models/models.ts';
import { openAnalyzer } from '../../open-analyzer.ts';
import { termVectors } from '../../term-vectors.ts';
import { TokenizerStandIn } from '../../testing/tokenizer-stand-in.ts';
import { runInSlices } from '../../work.ts';
import { GrpcAnalyzer } from './grpc-analyzer.ts';
import { TokenizerService } from './tokenizer-service.ts';

const share = { isSpent: () => false, nextTurn: async () => {} };
let standIn: TokenizerStandIn;
before(async () => {
  standIn = await TokenizerStandIn.start();
});
after(() => {
  TokenizerService.at(standIn.endpoint).close();
  standIn[Symbol.dispose]();
});

const paramsOf = (options: object = {}, ...filter: unknown[]) =>
  JSON.stringify({ tokenizer: { type: 'grpc', endpoint: standIn.endpoint, ...options }, filter });

async function tokensOf(params: string, text: string) {
  return await runInSlices((await openAnalyzer(params)).analyzing(text), share);
}

async function wordsOf(params: string, text: string): Promise<readonly string[]> {
  return (await tokensOf(params, text)).map((token) => token.text);
}

describe('a service that cuts texts', () => {
  test('says words and their places, whatever characters there are', async () => {
    assert.deepEqual(await tokensOf(paramsOf(), 'né-😀b-c'), [
      { text: 'né', start: 0, end: 2, position: 0 },
      { text: '😀b', start: 3, end: 6, position: 1 },
      { text: 'c', start: 7, end: 8, position: 2 },
    ]);
    assert.deepEqual(await tokensOf(paramsOf(), ''), []);
    assert.deepEqual(await wordsOf(paramsOf(), 'a\ud800-b'), ['a\ufffd', 'b']);
  });

  test('is told the parameters, and the filters follow', async () => {
    const parameters = [{ key: 'case', values: ['lower', 'upper'] }];
    assert.deepEqual(await wordsOf(paramsOf({ parameters }), 'one-two'), ['ONE', 'TWO']);
    const stop = { type: 'stop', stop_words: ['two'] };
    assert.deepEqual(await wordsOf(paramsOf({ parameters }, 'lowercase', stop), 'one-two'), ['one']);
  });

  test('is one analyzer of several, behind what rewrites texts', async () => {
    const asked = { tokenizer: { type: 'grpc', endpoint: standIn.endpoint } };
    const params = {
      char_filter: [{ type: 'mapping', mappings: ['+=>-'] }],
      tokenizer: { type: 'language_identifier', analyzers: { default: asked, English: { type: 'english' } } },
    };
    assert.deepEqual(await wordsOf(JSON.stringify(params), 'это+слова'), ['это', 'слова']);
    assert.deepEqual(await wordsOf(JSON.stringify(params), 'The dogs were running through the town'), [
      ...['dog', 'were', 'run', 'through', 'town'],
    ]);
  });

  test('cuts a long text in slices', async () => {
    const text = 'wörd-'.repeat(100_000);
    let turns = 0;
    const counted = {
      isSpent: () => true,
      nextTurn: async () => {
        turns += 1;
      },
    };
    const tokens = await runInSlices((await openAnalyzer(paramsOf())).analyzing(text), counted);
    assert.equal(tokens.length, 100_000);
    assert.deepEqual(tokens.at(-1), { text: 'wörd', start: 499_995, end: 499_999, position: 99_999 });
    assert.ok(turns > 500, `${turns} turns`);
  });

  const failures: readonly (readonly [text: string, reason: RegExp])[] = [
    ['ERROR', /INTERNAL: no words today/],
    ['RUBBISH', /the answer can't be read/],
    ['OUTSIDE', /word 0 of the answer is at 7 to 14, place 0, of no text/],
  ];
  for (const [text, reason] of failures)
    test(`that fails with ${text} leaves no text without its words, unless it has others`, async () => {
      await assert.rejects(wordsOf(paramsOf(), text), (error) => {
        assert(error instanceof MilvusError);
        assert.equal(error.code, 2400);
        assert.ok(error.message.startsWith(`grpc tokenizer of ${standIn.endpoint}: `), error.message);
        assert.match(error.message, reason);
        return true;
      });
      const params = paramsOf({ default_tokens: ['Nothing', 'known'] }, 'lowercase');
      assert.deepEqual(await wordsOf(params, text), ['nothing', 'known']);
    });

  test('that does not answer is not waited for', async () => {
    const service = new TokenizerService(standIn.endpoint, { timeoutMs: 50 });
    const options = { endpoint: standIn.endpoint, parameters: [], defaultTokens: null };
    await assert.rejects(
      runInSlices(new GrpcAnalyzer(service, options, []).analyzing('HANG'), share),
      /DEADLINE_EXCEEDED/,
    );
    service.close();
  });

  test('is not asked for the rest of a request whose client is gone', async () => {
    const going = new AbortController();
    const asked: number[] = [];
    const service = {
      endpoint: 'http://slow',
      tokenize: async (request: Uint8Array): Promise<Uint8Array> => {
        asked.push(request.length);
        going.abort(new Error('gone'));
        return new Uint8Array();
      },
    };
    const options = { endpoint: service.endpoint, parameters: [], defaultTokens: null };
    const analyzer = new GrpcAnalyzer(service, options, []);
    const texts = {
      length: 3,
      validity: null,
      offsets: Uint32Array.of(0, 1, 2, 3),
      bytes: Buffer.from('abc'),
    };
    await assert.rejects(
      runInSlices(
        termVectors(texts, () => analyzer),
        share,
        going,
      ),
      /gone/,
    );
    assert.equal(asked.length, 1);
  });

  test('that is not there is told at once', async () => {
    const gone = await TokenizerStandIn.start();
    gone[Symbol.dispose]();
    await assert.rejects(wordsOf(paramsOf({ endpoint: gone.endpoint }), 'text'), /UNAVAILABLE/);
  });

  test('is asked only where the configuration names it, and when it answers', async () => {
    const modelsOf = (tokenizers: string | null) =>
      new Models({
        settings: { ...MODEL_SETTINGS_DEFAULT, tokenizers },
        client: { post: () => Promise.reject(new Error('no model is asked')) },
        clock: { nowMs: () => 0 },
      });
    const { endpoint } = standIn;
    const options = { endpoint, parameters: [], defaultTokens: null };
    await modelsOf(`http://elsewhere:1, ${endpoint}/`).checkTokenizer(options);
    await assert.rejects(
      modelsOf(null).checkTokenizer(options),
      /not among those .* elanus.analyzer.grpc.url/,
    );
    const gone = await TokenizerStandIn.start();
    gone[Symbol.dispose]();
    await assert.rejects(
      modelsOf(gone.endpoint).checkTokenizer({ ...options, endpoint: gone.endpoint }),
      /failed to connect to gRPC server: http:.*UNAVAILABLE/,
    );
  });

  test('is not waited for where nobody can', async () => {
    const analyzer = await openAnalyzer(paramsOf());
    assert.throws(() => analyzer.analyze('text'), /work that waits is not run at once/);
  });
});

describe('refuses parameters that no service has', () => {
  const endpoint = 'http://localhost:50051';
  const withParameters = (parameters: unknown) => ({ endpoint, parameters });
  const cases: readonly (readonly [options: object, text: string])[] = [
    [{}, 'grpc tokenizer must set endpoint'],
    [{ endpoint: 5 }, 'grpc tokenizer endpoint must be string'],
    [{ endpoint: '' }, 'grpc tokenizer endpoint must not be empty'],
    [{ endpoint: 'localhost:50051' }, 'grpc tokenizer endpoint must start with http:// or https://'],
    [{ endpoint: 'http://' }, 'grpc tokenizer endpoint must start with http:// or https://'],
    [{ endpoint: 'http://user@host/' }, 'grpc tokenizer endpoint must be a host, perhaps with a port'],
    [{ endpoint: 'http://host/path' }, 'grpc tokenizer endpoint must be a host, perhaps with a port'],
    [{ endpoint, tls: {} }, 'grpc tokenizer tls is not supported'],
    [withParameters({}), 'grpc tokenizer parameters must be array'],
    [withParameters(['a']), 'grpc tokenizer parameters item must be object'],
    [withParameters([{}]), 'grpc tokenizer parameters item must have key'],
    [withParameters([{ key: 1 }]), 'grpc tokenizer parameters item key must be string'],
    [withParameters([{ key: 'a' }]), 'grpc tokenizer parameters item must have values'],
    [withParameters([{ key: 'a', values: 'b' }]), 'grpc tokenizer parameters item values must be array'],
    [withParameters([{ key: 'a', values: [1] }]), 'grpc tokenizer parameters item value 1 is not string'],
    [withParameters([{ key: 'a'.repeat(20_000), values: [] }]), 'parameters have more than 16384 characters'],
    [{ endpoint, default_tokens: 'a' }, 'default_tokens of grpc tokenizer should be a list of strings'],
  ];
  for (const [options, text] of cases)
    test(text, async () => {
      await assert.rejects(
        openAnalyzer(JSON.stringify({ tokenizer: { type: 'grpc', ...options } })),
        (error) => {
          assert(error instanceof MilvusError);
          assert.equal(error.code, 1100);
          assert(error.message.includes(text), error.message);
          return true;
        },
      );
    });
});
