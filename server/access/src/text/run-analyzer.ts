import {
  type Analyzer,
  askedTokenizers,
  inlineWordFiles,
  openAnalyzer,
  openFieldAnalyzer,
  readAnalyzer,
  readFieldAnalysis,
  type Token,
  termDimension,
  type WordFileReader,
} from '@elanus/functions';
import { type CollectionInfo, fieldByName, invalidParameter } from '@elanus/model';
import type { Draft, Methods } from '@elanus/proto';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handler } from '../handler.ts';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import { wordFileReader } from './word-file-reader.ts';

type Request = Methods['RunAnalyzer']['request'];
type Result = Methods['RunAnalyzer']['response']['results'][number];

/** Shows what an analyzer, given by its parameters or by the field that has it, makes of texts. */
export function runAnalyzerHandler(
  dependencies: Pick<AccessDependencies, 'root' | 'share' | 'limits' | 'files' | 'models'>,
): Handler<'RunAnalyzer'> {
  const { root, share, limits, models } = dependencies;
  const read = wordFileReader(dependencies);
  return async (request, context) => {
    const analyzerOf =
      request.collectionName === ''
        ? await analyzerOfParams(request, read, models)
        : await analyzerOfField(
            await root.describeCollection(collectionRef(context.database, request.collectionName, limits)),
            request,
          );
    const results: Draft<Result>[] = [];
    for (const [at, bytes] of request.placeholder.entries()) {
      results.push({ tokens: await runInSlices(tokensOf(analyzerOf(at), bytes, request), share, context) });
    }
    return { results };
  };
}

async function analyzerOfParams(
  { analyzerParams, fieldName }: Request,
  read: WordFileReader,
  models: AccessDependencies['models'],
): Promise<(at: number) => Analyzer> {
  if (fieldName !== '') throw invalidParameter('collection name must be specified with field name');
  const params = await inlineWordFiles(analyzerParams, read);
  for (const tokenizer of askedTokenizers(readAnalyzer(params))) models.requireTokenizer(tokenizer);
  const analyzer = await openAnalyzer(params);
  return () => analyzer;
}

async function analyzerOfField(
  { schema }: CollectionInfo,
  { fieldName, analyzerNames, placeholder }: Request,
): Promise<(at: number) => Analyzer> {
  const field = fieldByName(schema, fieldName);
  if (field === undefined)
    throw invalidParameter(`fieldName ${fieldName} not found in collection ${schema.name}`);
  const analysis = readFieldAnalysis(field);
  if (analysis === null) throw invalidParameter(`analyzer is not enabled of field ${fieldName}`);
  if (analysis.kind === 'one') {
    if (analyzerNames.length > 0)
      throw invalidParameter(`analyzer names should be none if field ${fieldName} has one analyzer`);
    const analyzer = await openFieldAnalyzer(analysis);
    return () => analyzer;
  }
  if (analyzerNames.length > 1 && analyzerNames.length !== placeholder.length)
    throw invalidParameter(
      `the number of analyzer names (${analyzerNames.length}) should be 1 or that of the texts (${placeholder.length})`,
    );
  const names = analyzerNames.length === 0 ? ['default'] : analyzerNames;
  const opened = new Map<string, Analyzer>();
  for (const name of new Set(names)) opened.set(name, await openFieldAnalyzer(analysis, name));
  return (at) => opened.get(names[names.length === 1 ? 0 : at]!)!;
}

/** Tokens that are written between two yields. */
const SLICE_TOKENS = 1024;

function* tokensOf(
  analyzer: Analyzer,
  bytes: Uint8Array,
  { withDetail, withHash }: Request,
): Work<Draft<Result['tokens'][number]>[]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const tokens = yield* analyzer.analyzing(text);
  const places = withDetail ? yield* bytePlaces(tokens, text) : null;
  const written: Draft<Result['tokens'][number]>[] = [];
  for (const [at, token] of tokens.entries()) {
    if (at % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
    written.push({
      token: token.text,
      ...(withHash ? { hash: termDimension(token.text) } : {}),
      ...(places === null
        ? {}
        : {
            startOffset: BigInt(places[2 * at]!),
            endOffset: BigInt(places[2 * at + 1]!),
            position: BigInt(token.position),
            positionLength: 1n,
          }),
    });
  }
  return written;
}

/** Where each token begins and ends in the UTF-8 of `text`. Words may overlap a little, so that it looks back a little. */
function* bytePlaces(tokens: readonly Token[], text: string): Work<Uint32Array> {
  const places = new Uint32Array(2 * tokens.length);
  let [unit, byte] = [0, 0];
  const byteOf = (wanted: number): number => {
    if (wanted >= unit) byte += Buffer.byteLength(text.slice(unit, wanted));
    else byte -= Buffer.byteLength(text.slice(wanted, unit));
    unit = wanted;
    return byte;
  };
  for (const [at, { start, end }] of tokens.entries()) {
    if (at % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
    places[2 * at] = byteOf(start);
    places[2 * at + 1] = byteOf(end);
  }
  return places;
}
