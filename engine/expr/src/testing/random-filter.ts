import { type CollectionSchema, DataType, type FieldSchema } from '@elanus/model';
import type { TemplateValue } from '../templates.ts';
import type { Draw } from './fuzzed-filters.ts';
import { FRACTIONS, INSTANTS, INTEGERS, KEYS, pick, TOKENS, WORDS } from './random-schema.ts';

/** One filter, said in three ways that mean the same. */
export interface RandomFilter {
  /** With constants as they are. */
  readonly text: string;
  /** With some of the constants beside the text. */
  readonly templated: { readonly text: string; readonly values: ReadonlyMap<string, TemplateValue> };
  /** With constants that have to be worked out first. */
  readonly folded: string;
}

/** A filter over the schema, of a few terms that its rows are likely to be decided by. */
export function randomFilter(draw: Draw, schema: CollectionSchema): RandomFilter {
  return new FilterWriter(draw, schema).filter();
}

type Value = bigint | number | boolean | string;

/** Stands for a constant until it is known how that is to be written. */
const MARK = /⟦(\d+)⟧/g;
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;
const EQUALITIES = ['==', '!='] as const;
const DEPTH_MAX = 3;

/** What elements of structs and arrays are called inside of `match_any`. */
interface Element {
  readonly name: string;
  readonly type: DataType;
}

class FilterWriter {
  readonly #draw: Draw;
  readonly #schema: CollectionSchema;
  readonly #constants: (Value | readonly Value[])[] = [];

  constructor(draw: Draw, schema: CollectionSchema) {
    this.#draw = draw;
    this.#schema = schema;
  }

  filter(): RandomFilter {
    const text = this.#condition(DEPTH_MAX);
    const draw = this.#draw;
    const values = new Map<string, TemplateValue>();
    const literalOf = (index: string) => literal(this.#constants[Number(index)]!);
    return {
      text: text.replace(MARK, (_, index: string) => literalOf(index)),
      templated: {
        text: text.replace(MARK, (_, index: string) => {
          if (draw(2) === 0) return literalOf(index);
          values.set(`c${index}`, this.#constants[Number(index)]!);
          return `{c${index}}`;
        }),
        values,
      },
      folded: text.replace(MARK, (_, index: string) => workedOut(draw, this.#constants[Number(index)]!)),
    };
  }

  #condition(depth: number): string {
    const draw = this.#draw;
    if (depth === 0 || draw(3) === 0) return this.#leaf();
    switch (draw(5)) {
      case 0:
        return `${pick(draw, ['not ', '!'])}(${this.#condition(depth - 1)})`;
      case 1:
        return `(${this.#condition(depth - 1)}) ${pick(draw, ['and true', 'or false'])}`;
      default: {
        const operator = pick(draw, ['and', 'or', '&&', '||']);
        return `(${this.#condition(depth - 1)}) ${operator} (${this.#condition(depth - 1)})`;
      }
    }
  }

  #leaf(): string {
    const draw = this.#draw;
    const { dynamicField, fields } = this.#schema;
    if (dynamicField !== null && draw(5) === 0) return this.#jsonLeaf(this.#dynamicPath());
    const field = pick(
      draw,
      fields.filter(({ isDynamic }) => !isDynamic),
    );
    if (field.nullable && draw(8) === 0)
      return `${nameOfWhole(field)} ${pick(draw, ['is null', 'is not null'])}`;
    switch (field.dataType) {
      case DataType.JSON:
        return this.#jsonLeaf(this.#path(field.name));
      case DataType.Array:
        return this.#arrayLeaf(field);
      case DataType.Timestamptz:
        return this.#instantLeaf(field.name);
      case DataType.Geometry:
        return this.#shapeLeaf(field.name);
      case DataType.VarChar:
        if (field.typeParams.length > 0 && draw(2) === 0) return this.#wordLeaf(field.name);
        break;
      default:
        if (draw(8) === 0) return this.#fieldsLeaf(field);
    }
    return this.#scalarLeaf(field.name, field.dataType);
  }

  /** About a scalar of the type that `name` stands for. */
  #scalarLeaf(name: string, type: DataType): string {
    const draw = this.#draw;
    switch (type) {
      case DataType.Bool:
        return `${name} ${pick(draw, EQUALITIES)} ${this.#mark(draw(2) === 0)}`;
      case DataType.VarChar:
        return this.#textLeaf(name);
      default:
        return this.#numberLeaf(name, type);
    }
  }

  #numberLeaf(name: string, type: DataType): string {
    const draw = this.#draw;
    const value = () => this.#number(type);
    switch (draw(6)) {
      case 0:
        return `${name} ${pick(draw, ['in', 'not in'])} ${this.#list(value, 7)}`;
      case 1:
        return `${this.#mark(value())} ${pick(draw, COMPARISONS)} ${name}`;
      case 2: {
        const [low, high] = [value(), value()].sort((a, b) => (a < b ? -1 : 1)) as [Value, Value];
        if (low === high) return `${this.#mark(low)} <= ${name} <= ${this.#mark(high)}`;
        return `${this.#mark(low)} ${pick(draw, ['<', '<='])} ${name} ${pick(draw, ['<', '<='])} ${this.#mark(high)}`;
      }
      case 3:
        return this.#arithmetic(name, type);
      default:
        return `${name} ${pick(draw, COMPARISONS)} ${this.#mark(value())}`;
    }
  }

  #arithmetic(name: string, type: DataType): string {
    const draw = this.#draw;
    if (!INTEGERS.has(type)) {
      const by = this.#mark(pick(draw, [0.5, -1.5, 2.25]));
      return `${name} ${pick(draw, ['+', '-', '*', '/'])} ${by} ${pick(draw, COMPARISONS)} ${this.#mark(0.5 * draw(9))}`;
    }
    const by = this.#mark(pick(draw, [1n, 3n, -7n, 2_000_000_000n, 9_007_199_254_740_993n]));
    const operator = pick(draw, ['+', '-', '*', '/', '%', '&', '|', '^']);
    return `(${name} ${operator} ${by}) ${pick(draw, COMPARISONS)} ${this.#mark(this.#number(DataType.Int64))}`;
  }

  #textLeaf(name: string): string {
    const draw = this.#draw;
    const value = () => pick(draw, WORDS);
    switch (draw(5)) {
      case 0:
        return `${name} ${pick(draw, ['in', 'not in'])} ${this.#list(value, 6)}`;
      case 1:
        return `${name} like ${this.#mark(this.#pattern())}`;
      case 2: {
        const parts = ['a', 'b', 'é', '.', '^', '$', 'a*', 'b+', '[ab]', '(a|é)', '[^a]', '𝄞?'];
        const pattern = Array.from({ length: 1 + draw(3) }, () => pick(draw, parts)).join('');
        return `${name} ${pick(draw, ['=~', '!~'])} "${pattern}"`;
      }
      default:
        return `${name} ${pick(draw, COMPARISONS)} ${this.#mark(value())}`;
    }
  }

  #pattern(): string {
    const parts = ['%', '%', '_', 'a', 'b', 'ab', 'é', '\\%', '\\_'];
    return Array.from({ length: this.#draw(5) }, () => pick(this.#draw, parts)).join('');
  }

  #wordLeaf(name: string): string {
    const draw = this.#draw;
    const words = Array.from({ length: draw(4) }, () => pick(draw, TOKENS)).join(' ');
    switch (draw(3)) {
      case 0:
        return `text_match(${name}, ${this.#mark(words)}, minimum_should_match=${this.#mark(BigInt(1 + draw(3)))})`;
      case 1:
        return `phrase_match(${name}, ${this.#mark(words)}, ${this.#mark(BigInt(draw(4)))})`;
      default:
        return `text_match(${name}, ${this.#mark(words)})`;
    }
  }

  #instantLeaf(name: string): string {
    const draw = this.#draw;
    const shift =
      draw(2) === 0
        ? ''
        : ` ${pick(draw, ['+', '-'])} INTERVAL '${pick(draw, ['P1D', 'P1M', 'P13M', 'P1M1D'])}'`;
    return `${name}${shift} ${pick(draw, COMPARISONS)} ISO '${pick(draw, INSTANTS)}'`;
  }

  #shapeLeaf(name: string): string {
    const draw = this.#draw;
    if (draw(5) === 0) return `st_isvalid(${name})`;
    const [x, y] = [draw(5) - 2, draw(5) - 2];
    const [east, north] = [x + 1 + draw(3), y + 1 + draw(3)];
    const shape =
      draw(2) === 0
        ? `POINT (${x} ${y})`
        : `POLYGON ((${x} ${y}, ${east} ${y}, ${east} ${north}, ${x} ${north}, ${x} ${y}))`;
    return `st_${pick(draw, ['within', 'intersects', 'touches', 'equals'])}(${name}, ${this.#mark(shape)})`;
  }

  /** About two columns that can be compared. */
  #fieldsLeaf(field: FieldSchema): string {
    const others = this.#schema.fields.filter(({ dataType }) => areNumbers(dataType, field.dataType));
    if (others.length === 0) return this.#scalarLeaf(field.name, field.dataType);
    return `${field.name} ${pick(this.#draw, COMPARISONS)} ${pick(this.#draw, others).name}`;
  }

  #arrayLeaf(field: FieldSchema): string {
    const draw = this.#draw;
    const { name } = field;
    const type = field.elementType!;
    const value = () => this.#valueOf(type);
    const whole = name.startsWith('parts[') && draw(2) === 0 ? 'parts' : name;
    switch (draw(6)) {
      case 0:
        return `array_length(${whole}) ${pick(draw, COMPARISONS)} ${this.#mark(BigInt(draw(4)))}`;
      case 1:
        return `array_contains(${name}, ${this.#mark(value())})`;
      case 2:
        return `array_contains_${pick(draw, ['all', 'any'])}(${name}, ${this.#list(value, 4)})`;
      case 3:
        return this.#scalarLeaf(elementName(field, draw(3)), type);
      default:
        return this.#matchLeaf(field);
    }
  }

  #matchLeaf(field: FieldSchema): string {
    const draw = this.#draw;
    const isStruct = field.name.startsWith('parts[');
    const elements: readonly Element[] = isStruct
      ? this.#schema.fields
          .filter(({ name }) => name.startsWith('parts['))
          .map(({ name, elementType }) => ({ name: `$[${name.slice(6, -1)}]`, type: elementType! }))
      : [{ name: '$', type: field.elementType! }];
    const test = () => {
      const { name, type } = pick(draw, elements);
      return this.#scalarLeaf(name, type);
    };
    const condition = draw(2) === 0 ? test() : `${test()} ${pick(draw, ['and', 'or'])} not (${test()})`;
    const name = isStruct ? 'parts' : field.name;
    const mode = pick(draw, ['any', 'all', 'least', 'most', 'exact']);
    const isCounted = mode !== 'any' && mode !== 'all';
    return `match_${mode}(${name}, ${condition}${isCounted ? `, threshold=${draw(4)}` : ''})`;
  }

  #jsonLeaf(path: string): string {
    const draw = this.#draw;
    const number = () =>
      pick<Value>(draw, [0n, 1n, 2n, -3n, 2.5, 1, 100n, 9_007_199_254_740_993n, 2n ** 63n - 1n]);
    const value = () => pick(draw, [number, () => pick<Value>(draw, WORDS)])();
    switch (draw(9)) {
      case 0:
        return pick(draw, [`exists ${path}`, `${path} is null`, `${path} is not null`]);
      case 1:
        return `${path} ${pick(draw, ['in', 'not in'])} ${this.#list(value, 4)}`;
      case 2:
        return `${path} like ${this.#mark(this.#pattern())}`;
      case 3:
        return `${path} ${pick(draw, ['+', '-', '*'])} ${pick(draw, ['2', '0.5'])} ${pick(draw, COMPARISONS)} ${draw(5)}`;
      case 4:
        return `json_contains(${path}, ${this.#mark(value())})`;
      case 5:
        return `json_contains_${pick(draw, ['all', 'any'])}(${path}, ${this.#list(value, 4)})`;
      case 6:
        return `array_length(${path}) ${pick(draw, COMPARISONS)} ${this.#mark(BigInt(draw(4)))}`;
      case 7:
        return `${path} ${pick(draw, EQUALITIES)} ${this.#mark(draw(2) === 0)}`;
      default:
        return `${path} ${pick(draw, COMPARISONS)} ${this.#mark(value())}`;
    }
  }

  /** Into a document; the last step may be an index. */
  #path(name: string): string {
    const draw = this.#draw;
    const steps = Array.from({ length: 1 + draw(2) }, () => `["${pick(draw, KEYS)}"]`);
    return `${name}${steps.join('')}${draw(4) === 0 ? `[${draw(3)}]` : ''}`;
  }

  #dynamicPath(): string {
    const key = pick(this.#draw, ['a', 'b', 's', 't']);
    return pick(this.#draw, [key, `$meta["${key}"]`, `${key}["a"]`, `${key}[0]`]);
  }

  #list(value: () => Value, lengthMax: number): string {
    const values = Array.from({ length: this.#draw(lengthMax + 1) }, value);
    const isOfOneType = values.every((one) => typeof one === typeof values[0]);
    // What comes beside the text is of one type.
    return isOfOneType ? this.#mark(values) : `[${values.map(literal).join(', ')}]`;
  }

  #mark(value: Value | readonly Value[]): string {
    return `⟦${this.#constants.push(value) - 1}⟧`;
  }

  #valueOf(type: DataType): Value {
    if (type === DataType.Bool) return this.#draw(2) === 0;
    return type === DataType.VarChar ? pick(this.#draw, WORDS) : this.#number(type);
  }

  #number(type: DataType): bigint | number {
    const integers = INTEGERS.get(type);
    return integers === undefined ? pick(this.#draw, FRACTIONS) : pick(this.#draw, integers);
  }
}

/** Of structs the name of all of them: what holds for one sub-field holds for each. */
function nameOfWhole({ name }: FieldSchema): string {
  return name.startsWith('parts[') ? 'parts' : name;
}

function elementName({ name }: FieldSchema, index: number): string {
  return name.startsWith('parts[') ? `parts[${index}]${name.slice('parts'.length)}` : `${name}[${index}]`;
}

function areNumbers(...types: readonly DataType[]): boolean {
  return types.every((type) => INTEGERS.has(type) || type === DataType.Float || type === DataType.Double);
}

function literal(value: Value | readonly Value[]): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number')
    return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
  return String(value);
}

/** The constant as something that comes to the same; texts and lists of them can't be worked out. */
function workedOut(draw: Draw, value: Value | readonly Value[]): string {
  if (Array.isArray(value)) return `[${value.map((one) => workedOut(draw, one)).join(', ')}]`;
  if (typeof value === 'bigint') return `(${value / 2n} + ${value - value / 2n})`;
  if (typeof value === 'number')
    return draw(2) === 0 ? `(${literal(value)} * 1.0)` : `(${literal(value / 2)} * 2)`;
  if (typeof value === 'boolean') return `(not ${!value})`;
  return literal(value as string);
}
