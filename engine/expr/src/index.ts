export { bitsOfWord } from './bits-of-word.ts';
export type { PlanOptions } from './bound.ts';
export { byteCosts } from './byte-costs.ts';
export { compileCondition, compilePredicate, costOfRow } from './compile.ts';
export { type ElementMatcher, elementMatcher } from './element-matcher.ts';
export { isShape, SHAPE_BYTES_MAX } from './geometry.ts';
export {
  INSTANT_MAX,
  INSTANT_MIN,
  type InstantPart,
  instantFormatter,
  instantPartReader,
  parseInstantText,
} from './instant.ts';
export { type JsonPlaces, pathName, pathsOf, UNKNOWN_PLACE } from './json-places.ts';
export { JsonReader, type JsonStep, jsonStep } from './json-reader.ts';
export { type KeyBound, keyBounds, primaryKeysOf, requiredKeys, requiredValues } from './keys.ts';
export type { LikePattern } from './like.ts';
export { loadingLibraries } from './loading-libraries.ts';
export type { Condition, Leaf, ListValue, OperandLeaf, PathOperand } from './plan.ts';
export { planFilter, planningFilter } from './plan-filter.ts';
export type { ColumnSource, Predicate, RowFilter } from './predicate.ts';
export { type RowTest, type RowTester, rowTester } from './row-test.ts';
export { type Box, boxAround } from './shape-box.ts';
export { shapeBytesMax } from './shape-bytes.ts';
export type { TemplateValue, TemplateValues } from './templates.ts';
export type { Constant } from './tree.ts';
export { isWordLike, type PlacedWord, type WordIndex, type WordsLike } from './word-index.ts';
