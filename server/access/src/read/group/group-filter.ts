import type { Constant, ListValue } from '@elanus/expr';
import { OWN_VALUE, type OwnCondition } from '../own-filter.ts';
import type { GroupKey, GroupValue } from './group-key.ts';

/** The values of a group, parallel to the keys. */
export type GroupTuple = readonly GroupValue[];

/** Rows of none of `groups`. REQUIRES: at least one group. */
export function outsideGroups(keys: readonly GroupKey[], groups: readonly GroupTuple[]): OwnCondition {
  const values = new Values();
  if (keys.length === 1) return values.condition(outsideOfSingle(keys[0]!, groups, values));
  const terms = groups.map((group) =>
    joined(
      group.map((value, at) => differs(keys[at]!, value, values)),
      ' or ',
    ),
  );
  return values.condition(joined(terms, ' and '));
}

/** Rows of one of `groups`. REQUIRES: at least one group. */
export function withinGroups(keys: readonly GroupKey[], groups: readonly GroupTuple[]): OwnCondition {
  const values = new Values();
  const terms = groups.map((group) =>
    joined(
      group.map((value, at) => equals(keys[at]!, value, values)),
      ' and ',
    ),
  );
  return values.condition(joined(terms, ' or '));
}

/** One list for all values: there may be thousands. */
function outsideOfSingle(key: GroupKey, groups: readonly GroupTuple[], values: Values): string {
  const present = groups.map(([value]) => value!).filter((value) => value !== null);
  const others = present.length === 0 ? 'true' : differsFromAll(key, present, values);
  const hasNull = present.length < groups.length;
  return hasNull ? `${isPresent(key)} and ${others}` : `${isAbsent(key)} or ${others}`;
}

function differsFromAll(key: GroupKey, present: readonly Constant[], values: Values): string {
  const kinds = Map.groupBy(present, kindOf);
  const lists = [...kinds.values()].map((list) => `${key.expression} in {${values.name(list)}}`);
  return `not ${joined(lists, ' or ')}`;
}

function differs(key: GroupKey, value: GroupValue, values: Values): string {
  if (value === null) return isPresent(key);
  return `${isAbsent(key)} or not (${key.expression} in {${values.name([value])}})`;
}

function equals(key: GroupKey, value: GroupValue, values: Values): string {
  return value === null ? isAbsent(key) : `${key.expression} in {${values.name([value])}}`;
}

/** Whether there is a value that makes a group; JSON of another kind than the key's does not. */
function isPresent({ expression, type, path }: GroupKey): string {
  if (path === null) return `${expression} is not null`;
  const isText = `${expression} >= ""`;
  const isNumber = `(${expression} >= 0 or ${expression} < 0)`;
  const isBool = `${expression} in [true, false]`;
  switch (type) {
    case 'text':
      return isText;
    case 'integer':
      return isNumber;
    case 'bool':
      return isBool;
    case 'any':
      return `(${isText} or ${isNumber} or ${isBool})`;
  }
}

function isAbsent(key: GroupKey): string {
  return key.path === null ? `${key.expression} is null` : `not ${joined([isPresent(key)], '')}`;
}

function kindOf(value: Constant): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function joined(terms: readonly string[], word: string): string {
  return `(${terms.map((term) => `(${term})`).join(word)})`;
}

/** Collects what the names in a condition stand for. */
class Values {
  readonly #values = new Map<string, ListValue>();

  name(list: readonly ListValue[]): string {
    const name = `${OWN_VALUE}${this.#values.size}`;
    this.#values.set(name, list);
    return name;
  }

  condition(text: string): OwnCondition {
    return { text, values: this.#values };
  }
}
