import { DataType, type FieldSchema } from '@elanus/model';
import { refuseOptions } from './bind-call.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { Condition } from './plan.ts';
import { standardWords } from './standard-analyzer.ts';
import type { CallNode, Node } from './tree.ts';
import type { PlacedWord } from './word-index.ts';

const COUNT_MAX = 1_000n;
const SLOP_MAX = 2n ** 32n - 1n;

export function isTextMatchCall(name: string): boolean {
  return name === 'text_match' || name === 'phrase_match';
}

/** `text_match(field, "words")` and `phrase_match(field, "words")`. */
export function bindTextMatch(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Condition {
  const isText = node.name === 'text_match';
  refuseOptions(node, isText ? 'minimum_should_match' : undefined);
  const [name, words, slop, ...more] = node.operands;
  if (name === undefined || words === undefined || more.length > 0 || (isText && slop !== undefined))
    throw new FilterError(`${node.name} takes a field and a text, but got: ${context.print(node)}`);
  const field = matchedField(context, name, node.name);
  const found = wordsOf(context, words, bindOperand(words), { call: node.name, field });
  if (isText)
    return {
      kind: 'text-match',
      field,
      tokens: [...new Set(found.map(({ text }) => text))],
      countMin: countOf(node, bindOperand),
      negated,
    };
  const slopMax = slop === undefined ? 0 : slopOf(context, slop, bindOperand(slop));
  return { kind: 'phrase-match', field, words: found, slop: slopMax, negated };
}

/** The field may be of type Text, which other operators refuse. */
function matchedField(context: BindContext, node: Node, call: string): FieldSchema {
  const operation = call.replace('_', ' ');
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
  const { matchWordsMax, matchTextMax } = FILTER_LIMITS;
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
