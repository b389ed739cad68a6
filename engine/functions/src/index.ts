export type { Analyzer } from './analyzer.ts';
export {
  analyzerNeeded,
  type FieldAnalysis,
  isMatchEnabled,
  openFieldAnalyzer,
  readFieldAnalysis,
} from './field-analysis.ts';
export { openAnalyzer } from './open-analyzer.ts';
export { ownText } from './own-text.ts';
export { type Texts, termDimension, termVectors } from './term-vectors.ts';
export type { Token } from './token.ts';
export { runAtOnce, type Work } from './work.ts';
