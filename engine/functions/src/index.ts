export type { Analyzer } from './analyzer.ts';
export { analysisOf, analyzerChoice } from './analyzer-choice.ts';
export { askedTokenizers } from './analyzer-spec.ts';
export { BoostedTrees, type TreeOutput } from './boosted-trees/boosted-trees.ts';
export { readUbjson } from './boosted-trees/read-ubjson.ts';
export {
  analyzerNeeded,
  askedTokenizersOfField,
  type FieldAnalysis,
  INLINED_PREFIX,
  isMatchEnabled,
  openFieldAnalyzer,
  readFieldAnalysis,
} from './field-analysis.ts';
export { functionVectors } from './function-vectors.ts';
export { type MinHashOptions, minHashVectors, readMinHashOptions } from './min-hash.ts';
export type { EmbeddingPurpose } from './models/embedding-service.ts';
export { FunctionParams } from './models/function-params.ts';
export { ModelClient } from './models/model-client.ts';
export type { ModelReranker } from './models/model-reranker.ts';
export {
  MODEL_SETTINGS_DEFAULT,
  type ModelSettings,
  type ProviderSettings,
  USUAL_PROVIDER,
} from './models/model-settings.ts';
export { Models } from './models/models.ts';
export { openAnalyzer } from './open-analyzer.ts';
export { ownText } from './own-text.ts';
export { readAnalyzer } from './read-analyzer.ts';
export { type Texts, termDimension, termVectors } from './term-vectors.ts';
export type { Token } from './token.ts';
export {
  inlineWordFiles,
  inlineWordFilesOfSeveral,
  namedResources,
  type WordFile,
  type WordFileReader,
} from './word-files.ts';
export { runAtOnce, runInSlices, type Work } from './work.ts';
