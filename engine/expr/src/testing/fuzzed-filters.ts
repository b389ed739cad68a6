import { DEMO_CASES } from './demo-cases.ts';
import { MORE_CASES } from './more-cases.ts';

/** Whole numbers from 0 up to a bound, the same for the same seed. */
export type Draw = (bound: number) => number;

/** A stepped hash of a counter. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * bound);
  };
}

const TOKENS = [
  ...[
    'id',
    'i8',
    'age',
    'ratio',
    'score',
    'ok',
    'name',
    'nick',
    'body',
    'tags',
    'nums',
    'doc',
    'color',
    '$meta',
    'vec',
  ],
  ...[
    '==',
    '!=',
    '<',
    '<=',
    '>',
    '>=',
    '+',
    '-',
    '*',
    '/',
    '%',
    '**',
    '&',
    '|',
    '^',
    '<<',
    '>>',
    '~',
    '!',
    '=~',
    '!~',
  ],
  ...[
    'and',
    'or',
    'not',
    'in',
    'like',
    'exists',
    'is null',
    'is not null',
    '&&',
    '||',
    'AND',
    'LIKE',
    'NULL',
  ],
  ...['(', ')', '[', ']', '{', '}', ',', '$', '[0]', '["a"]', '["t"][1]', '{x}', '[1, 2]', '["a", 1]', '[]'],
  ...[
    '0',
    '1',
    '-1',
    '010',
    '0x7f',
    '9223372036854775807',
    '9223372036854775808',
    '1e999',
    '.5',
    '2.5',
    '1e-5',
  ],
  ...[
    '"a"',
    "'b'",
    '"%a_"',
    '"\\\\%"',
    '"(a+)+$"',
    '""',
    'r"\\d"',
    '"POINT (1 2)"',
    '"2024-01-01T00:00:00Z"',
    'true',
  ],
  ...[
    'json_contains(',
    'array_contains_any(',
    'array_length(',
    'text_match(',
    'phrase_match(',
    'random_sample(',
  ],
  ...[
    'match_any(',
    'element_filter(',
    'st_within(',
    'st_dwithin(',
    'interval "P1M"',
    'iso',
    'threshold=1',
    'membership_match(',
    'type=bloom',
    '\u0000',
    'é',
    '漢',
  ],
] as const;

const SEEDS = [...DEMO_CASES, ...MORE_CASES].map(([, text]) => text);

/** A filter that is whole, damaged, put together of others, or of tokens that have nothing to do with each other. */
export function fuzzedFilter(draw: Draw): string {
  switch (draw(6)) {
    case 0:
      return Array.from({ length: 1 + draw(12) }, () => TOKENS[draw(TOKENS.length)]).join(' ');
    case 1:
      return damaged(seedText(draw), draw);
    case 2:
      return `(${seedText(draw)}) ${draw(2) === 0 ? 'and' : 'or'} not (${seedText(draw)})`;
    case 3:
      return spliced(seedText(draw), seedText(draw), draw);
    case 4:
      return withToken(seedText(draw), draw);
    default:
      return repeated(draw);
  }
}

function seedText(draw: Draw): string {
  return SEEDS[draw(SEEDS.length)]!;
}

/** Some characters left out, doubled, or put in the place of others. */
function damaged(text: string, draw: Draw): string {
  let result = text;
  for (let times = 1 + draw(3); times > 0; times--) {
    const at = draw(result.length + 1);
    const other = String.fromCharCode(draw(8) === 0 ? draw(0xffff) : 32 + draw(95));
    result = result.slice(0, at) + (draw(3) === 0 ? '' : other) + result.slice(at + draw(3));
  }
  return result;
}

function spliced(left: string, right: string, draw: Draw): string {
  return left.slice(0, draw(left.length + 1)) + right.slice(draw(right.length + 1));
}

function withToken(text: string, draw: Draw): string {
  const words = text.split(' ');
  words.splice(draw(words.length + 1), draw(2), TOKENS[draw(TOKENS.length)]!);
  return words.join(' ');
}

/** Deep, long or wide. */
function repeated(draw: Draw): string {
  const times = 1 + draw(draw(20) === 0 ? 3_000 : 60);
  const text = seedText(draw);
  switch (draw(4)) {
    case 0:
      return `${'('.repeat(times)}${text}${')'.repeat(draw(2) === 0 ? times : draw(times))}`;
    case 1:
      return Array.from({ length: times }, () => text).join(draw(2) === 0 ? ' and ' : ' or ');
    case 2:
      return `${'not ('.repeat(times)}${text}${')'.repeat(times)}`;
    default:
      return `id in [${Array.from({ length: times }, () => TOKENS[draw(TOKENS.length)]).join(', ')}]`;
  }
}
