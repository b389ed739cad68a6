import { DataType, type FieldSchema, lastValueOf } from '@elanus/model';
import { refuseOptions } from './bind-call.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { Condition } from './plan.ts';
import { standardWords } from './standard-analyzer.ts';
import type { CallNode, Node } from './tree.ts';
import { EDITS_MAX } from './word-distance.ts';
import type { PlacedWord } from './word-index.ts';

const COUNT_MAX = 1_000n;
const SLOP_MAX = 2n ** 32n - 1n;

/** The calls, and what may stand behind their operands. */
const OPTIONS: ReadonlyMap<string, string | undefined> = new Map([
  ['text_match', 'minimum_should_match'],
  ['text_match_fuzzy', 'max_edit_distance'],
  ['phrase_match', undefined],
]);

export function isTextMatchCall(name: string): boolean {
  return OPTIONS.has(name);
}

/** `text_match(field, "words")`, `text_match_fuzzy(...)` and `phrase_match(...)`. */
export function bindTextMatch(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Condition {
  const isText = node.name !== 'phrase_match';
  const isFuzzy = node.name === 'text_match_fuzzy';
  refuseOptions(node, OPTIONS.get(node.name));
  const [name, words, slop, ...more] = node.operands;
  if (name === undefined || words === undefined || more.length > 0 || (isText && slop !== undefined))
    throw new FilterError(`${node.name} takes a field and a text, but got: ${context.print(node)}`);
  const field = matchedField(context, name, node.name);
  const found = wordsOf(context, words, bindOperand(words), { call: node.name, field });
  const analyzer = lastValueOf(field.typeParams, 'analyzer_params') ?? '';
  if (isText)
    return {
      kind: 'text-match',
      field,
      analyzer,
      tokens: [...new Set(found.map(({ text }) => text))],
      countMin: isFuzzy ? 1 : countOf(node, bindOperand),
      editsMax: isFuzzy ? editsOf(node, bindOperand) : 0,
      negated,
    };
  const slopMax = slop === undefined ? 0 : slopOf(context, slop, bindOperand(slop));
  return { kind: 'phrase-match', field, analyzer, words: found, slop: slopMax, negated };
}

/** The field may be of type Text, which other operators refuse. */
function matchedField(context: BindContext, node: Node, call: string): FieldSchema {
  const operation = call.replaceAll('_', ' ');
  const field =
    node.kind === 'name' && node.steps.length === 0 && context.scope === null
      ? context.schema.fields.find(({ name }) => name === node.name)
      : undefined;
  const isText = field?.dataType === DataType.VarChar || field?.dataType === DataType.Text;
  if (field === undefined || !isText) {
    if (field === undefined && node.kind === 'name' && context.schema.dynamicField === null)
      throw new FilterError(`field ${node.name} not exist`);
    throw new FilterError(`${operation} operation on non-string is unsupported`);
  }
  if (parameterOf(field, 'enable_match') !== 'true')
    throw new FilterError(`field "${field.name}" does not enable match`);
  if (context.wordsOf === undefined) requireStandardAnalyzer(field, operation);
  context.fieldIds.add(field.id);
  return field;
}

function parameterOf(field: FieldSchema, key: string): string | undefined {
  return field.typeParams.find((parameter) => parameter.key === key)?.value.toLowerCase();
}

function requireStandardAnalyzer(field: FieldSchema, operation: string): void {
  const text = parameterOf(field, 'analyzer_params')?.replace(/\s/g, '') ?? '';
  if (/^(?:\{\})?$|^\{"(?:type|tokenizer)":"standard"\}$/.test(text) && !text.includes('tokenizer')) return;
  throw new FilterError(`${operation} with the analyzer of field "${field.name}" is not supported yet`);
}

function wordsOf(
  context: BindContext,
  node: Node,
  bound: Bound,
  { call, field }: { readonly call: string; readonly field: FieldSchema },
): readonly PlacedWord[] {
  const { matchTextMax } = FILTER_LIMITS;
  const matchWordsMax = FILTER_LIMITS[call === 'text_match_fuzzy' ? 'fuzzyWordsMax' : 'matchWordsMax'];
  if (bound.kind !== 'constant' || typeof bound.value !== 'string')
    throw new FilterError(
      `the text of ${call} should be a string, but got: ${context.print(node)}`,
      phaseOf(bound),
    );
  if (bound.value.length > matchTextMax)
    throw new FilterError(`the text of ${call} has more than ${matchTextMax} characters`, bound.phase);
  const words =
    context.wordsOf?.(field, bound.value) ??
    standardWords(bound.value).map((text, position) => ({ text, position }));
  if (words.length > matchWordsMax)
    throw new FilterError(`the text of ${call} has more than ${matchWordsMax} words`, bound.phase);
  return words;
}

function countOf(node: CallNode, bindOperand: (operand: Node) => Bound): number {
  const [option] = node.options;
  if (option === undefined) return 1;
  const bound = bindOperand(option.value);
  const count = bound.kind === 'constant' ? bound.value : undefined;
  if (typeof count !== 'bigint')
    throw new FilterError('minimum_should_match should be a const integer expression', phaseOf(bound));
  if (count < 1n) throw new FilterError(`minimum_should_match should be >= 1, got ${count}`, phaseOf(bound));
  if (count > COUNT_MAX)
    throw new FilterError(`minimum_should_match should be <= ${COUNT_MAX}, got ${count}`, phaseOf(bound));
  return Number(count);
}

function editsOf(node: CallNode, bindOperand: (operand: Node) => Bound): number {
  const [option] = node.options;
  if (option === undefined) throw new FilterError('text_match_fuzzy needs a max_edit_distance');
  const bound = bindOperand(option.value);
  const edits = bound.kind === 'constant' ? bound.value : undefined;
  if (typeof edits === 'bigint' && edits >= 0n && edits <= EDITS_MAX) return Number(edits);
  throw new FilterError(`max_edit_distance should be an integer between 0 and ${EDITS_MAX}`, phaseOf(bound));
}

function slopOf(context: BindContext, node: Node, bound: Bound): number {
  const phase = phaseOf(bound);
  const slop = bound.kind === 'constant' ? bound.value : undefined;
  if (typeof slop !== 'bigint')
    throw new FilterError(
      `"slop" should be a const integer expression with "uint32" value. "slop" passed: ${context.print(node)}`,
      phase,
    );
  if (slop < 0n)
    throw new FilterError(`"slop" should not be a negative interger. "slop" passed: ${slop}`, phase);
  if (slop > SLOP_MAX)
    throw new FilterError(`"slop" exceeds the range of "uint32". "slop" passed: ${slop}`, phase);
  return Number(slop);
}
