import { type FieldSchema, invalidParameter, type KeyValue, lastValueOf } from '@elanus/model';
import type { Analyzer } from './analyzer.ts';
import { askedTokenizers } from './analyzer-spec.ts';
import { member, parseJsonObject, requireObject, requireText } from './json-options.ts';
import { openAnalyzer } from './open-analyzer.ts';
import { readAnalyzer } from './read-analyzer.ts';
import type { GrpcOptions } from './tokenizers/grpc/grpc-analyzer.ts';

/** How the texts of a field are analysed. */
export type FieldAnalysis =
  | { readonly kind: 'one'; readonly params: string }
  | {
      readonly kind: 'several';
      /** The field whose value names the analyzer of a row. */
      readonly byField: string;
      /** Parameters by name; `default` is among them. */
      readonly analyzers: ReadonlyMap<string, string>;
      /** Other names of analyzers. */
      readonly alias: ReadonlyMap<string, string>;
    };

/** Of type parameters that hold what others say with the words of files in place: nobody is shown these. */
export const INLINED_PREFIX = 'elanus.inlined.';

const DEFAULT = 'default';
/** By the parameters, which never change: every search and insert asks. */
const analyses = new WeakMap<readonly KeyValue[], FieldAnalysis | null>();

/**
 * What the type parameters of a field say of its analyzers; `null` when its texts are not analysed. Every analyzer's
 * parameters are checked.
 * @throws MilvusError 1100 in Milvus' words
 */
export function readFieldAnalysis(field: Pick<FieldSchema, 'name' | 'typeParams'>): FieldAnalysis | null {
  const known = analyses.get(field.typeParams);
  if (known !== undefined) return known;
  const analysis = analysisOf(field);
  analyses.set(field.typeParams, analysis);
  return analysis;
}

function analysisOf(field: Pick<FieldSchema, 'name' | 'typeParams'>): FieldAnalysis | null {
  const { typeParams } = field;
  const isAnalysed = isOn(typeParams, 'enable_analyzer');
  const isMatched = isOn(typeParams, 'enable_match');
  const one = inlinedOf(typeParams, 'analyzer_params');
  const several = inlinedOf(typeParams, 'multi_analyzer_params');
  if (isMatched && !isAnalysed) throw analyzerNeeded(field.name);
  if (!isAnalysed) return null;
  if (several === undefined) {
    const [asked] = one === undefined ? [] : askedTokenizers(readAnalyzer(one));
    if (isMatched && asked !== undefined)
      throw invalidParameter(
        `enable_match of field ${field.name} is not supported with a grpc tokenizer, whose service ${asked.endpoint} no filter waits for`,
      );
    return { kind: 'one', params: one ?? '' };
  }
  if (one !== undefined)
    throw invalidParameter(`field ${field.name} analyzer params should be none if has multi analyzer params`);
  if (isMatched)
    throw invalidParameter(
      `multi analyzer now only support for bm25, but now field ${field.name} enable match`,
    );
  return readSeveral(several, field.name);
}

/** Code 1100: the field is matched or counted, but nothing says that its texts have words. */
export function analyzerNeeded(field: string): Error {
  return invalidParameter(
    `field ${field} which has enable_match or is input of BM25 function must also enable_analyzer`,
  );
}

/** Whether `text_match` and `phrase_match` may be asked of the field. */
export function isMatchEnabled({ typeParams }: Pick<FieldSchema, 'typeParams'>): boolean {
  return isOn(typeParams, 'enable_match');
}

/** The analyzer of a field, or of several the one called `name`; `default` for names that it does not know. */
export async function openFieldAnalyzer(analysis: FieldAnalysis, name: string = DEFAULT): Promise<Analyzer> {
  if (analysis.kind === 'one') return await openAnalyzer(analysis.params);
  const { analyzers, alias } = analysis;
  return await openAnalyzer(
    analyzers.get(name) ?? analyzers.get(alias.get(name) ?? DEFAULT) ?? analyzers.get(DEFAULT)!,
  );
}

/** The tokenizers of a field that ask a service for the words of its texts. @throws MilvusError as `readFieldAnalysis` */
export function askedTokenizersOfField(
  field: Pick<FieldSchema, 'name' | 'typeParams'>,
): readonly GrpcOptions[] {
  const analysis = readFieldAnalysis(field);
  if (analysis === null) return [];
  const all = analysis.kind === 'one' ? [analysis.params] : [...analysis.analyzers.values()];
  return all.flatMap((params) => askedTokenizers(readAnalyzer(params)));
}

function readSeveral(text: string, field: string): FieldAnalysis {
  const params = parseJsonObject(text, `multi_analyzer_params of field ${field}`);
  const given = member(params, 'analyzers');
  if (given === undefined)
    throw invalidParameter(
      `multi analyzer params now must set by_field to specify with field decide analyzer: analyzers of field ${field} are missing`,
    );
  const analyzers = new Map<string, string>();
  for (const [name, analyzer] of Object.entries(requireObject(given, `analyzers of field ${field}`))) {
    const own = JSON.stringify(requireObject(analyzer, `analyzer ${name} of field ${field}`));
    readAnalyzer(own);
    analyzers.set(name, own);
  }
  if (!analyzers.has(DEFAULT))
    throw invalidParameter(`multi analyzer must set default analyzer for all unknown value, field ${field}`);
  const byField = member(params, 'by_field');
  if (byField === undefined)
    throw invalidParameter(
      `multi analyzer params now must set by_field to specify with field decide analyzer, field ${field}`,
    );
  const alias = new Map(
    Object.entries(requireObject(member(params, 'alias') ?? {}, `alias of field ${field}`)).map(
      ([other, name]) => [other, requireText(name, `alias ${other} of field ${field}`)] as const,
    ),
  );
  for (const name of alias.values())
    if (!analyzers.has(name))
      throw invalidParameter(`analyzer ${name} of an alias of field ${field} does not exist`);
  return { kind: 'several', byField: requireText(byField, `by_field of field ${field}`), analyzers, alias };
}

function isOn(params: readonly KeyValue[], key: string): boolean {
  return /^\s*(true|1)\s*$/i.test(lastValueOf(params, key) ?? '');
}

function inlinedOf(params: readonly KeyValue[], wanted: string): string | undefined {
  return lastValueOf(params, `${INLINED_PREFIX}${wanted}`) ?? lastValueOf(params, wanted);
}
