import { invalidParameter } from '@elanus/model';
import type { Work } from '../work.ts';
import { type OffsetMode, Rewrite } from './rewrite.ts';

/** Texts in the place of others. */
export interface Mapping {
  readonly targets: ReadonlyMap<string, string>;
  /** Of each first unit of a source how long those are that begin with it, the longest first. */
  readonly lengths: ReadonlyMap<number, readonly number[]>;
}

/** Sources are looked up by their lengths, at every place of a text. */
const SOURCE_UNITS_MAX = 64;
const RULES_MAX = 65_536;
/** A rule may make much of little: what all filters of a text make of it. */
const TEXT_UNITS_MAX = 4 * 1024 * 1024;

/** Look-ups between two yields, half a millisecond or less. */
const SLICE_LOOKUPS = 4096;

/** @throws MilvusError 1100 in Milvus' words */
export function readMapping(rules: readonly string[]): Mapping {
  if (rules.length > RULES_MAX)
    throw invalidParameter(`mapping char_filter has more than ${RULES_MAX} mappings`);
  const targets = new Map<string, string>();
  const lengths = new Map<number, Set<number>>();
  for (const rule of rules) {
    const [source, target] = readRule(rule);
    if (targets.has(source))
      throw invalidParameter(`mapping char_filter source must be unique: ${JSON.stringify(source)}`);
    targets.set(source, target);
    const first = source.charCodeAt(0);
    const known = lengths.get(first) ?? new Set();
    lengths.set(first, known.add(source.length));
  }
  const descending = (of: Set<number>): readonly number[] => [...of].sort((a, b) => b - a);
  return { targets, lengths: new Map(Array.from(lengths, ([first, of]) => [first, descending(of)])) };
}

function readRule(rule: string): readonly [source: string, target: string] {
  const arrow = rule.lastIndexOf('=>');
  if (arrow < 0) throw invalidParameter(`invalid mapping char_filter mapping: ${rule}`);
  const source = unescaped(trimmed(rule.slice(0, arrow)));
  const target = unescaped(trimmed(rule.slice(arrow + 2)));
  if (source === '') throw invalidParameter('mapping char_filter source must not be empty');
  if (source.length > SOURCE_UNITS_MAX)
    throw invalidParameter(`mapping char_filter source is longer than ${SOURCE_UNITS_MAX} characters`);
  return [source, target];
}

/** Without blanks and control characters around it: those that are meant are escaped. */
function trimmed(side: string): string {
  let [start, end] = [0, side.length];
  while (start < end && side.charCodeAt(start) <= 0x20) start++;
  while (end > start && side.charCodeAt(end - 1) <= 0x20) end--;
  return side.slice(start, end);
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

function unescaped(side: string): string {
  const text = side.replace(/\\(u[\da-fA-F]{4}|.|$)/gsu, (_, escaped: string) => {
    if (escaped === '')
      throw invalidParameter('mapping char_filter escape sequence must not end with backslash');
    if (escaped.length > 1 && escaped.startsWith('u'))
      return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    if (escaped === 'u') throw invalidEscape();
    return ESCAPED[escaped] ?? escaped;
  });
  if (!text.isWellFormed()) throw invalidEscape();
  return text;
}

function invalidEscape(): Error {
  return invalidParameter('mapping char_filter contains an invalid unicode escape');
}

/**
 * Puts targets in the place of their sources, from left to right, the longest source that fits first; what it has put is
 * not looked at again. Halves of surrogate pairs must not occur in `text`.
 * @throws MilvusError 1100 when the text grows beyond 4 Mi characters
 */
export function* mapping(text: string, { targets, lengths }: Mapping, mode: OffsetMode): Work<Rewrite> {
  const rewrite = new Rewrite(text, mode);
  let lookups = 0;
  for (let at = 0; at < text.length; ) {
    let found = 0;
    for (const length of lengths.get(text.charCodeAt(at)) ?? []) {
      lookups += 1;
      const source = text.slice(at, at + length);
      const target = targets.get(source);
      if (target === undefined || source.length < length) continue;
      rewrite.replace(at, at + length, target);
      found = length;
      break;
    }
    at += found || 1;
    lookups += 1;
    if (lookups < SLICE_LOOKUPS) continue;
    lookups = 0;
    checkLength(rewrite.length);
    yield;
  }
  checkLength(rewrite.length);
  return rewrite;
}

function checkLength(length: number): void {
  if (length > TEXT_UNITS_MAX)
    throw invalidParameter(`char_filter makes a text longer than ${TEXT_UNITS_MAX} characters`);
}
