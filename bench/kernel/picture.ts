/**
 * Draws recall against speed as an SVG, from the lines of JSON that the section "lists" prints to standard error.
 *
 *   npm run bench:kernel -- --only lists 2> run.log
 *   node bench/kernel/picture.ts DATA < run.log > docs/pictures/lists-DATA.svg      DATA is one of the data sets
 */
import { createInterface } from 'node:readline';

interface Curve {
  readonly data: string;
  readonly library: string;
  readonly points: readonly { readonly recall: number; readonly queriesPerSecond: number }[];
}

const SIZE = { width: 760, height: 460, left: 70, right: 210, top: 30, bottom: 50 };
const RECALL_MIN = 0.8;
/** Closer to 1 than this all points are at the right border. */
const MISSED_MIN = 0.001;
/** Of lines that are seen on white and on black. */
const COLOURS = [
  '#7f7f7f',
  '#b5a100',
  '#2f8fd0',
  '#e0443e',
  '#35a535',
  '#f58518',
  '#a87fd6',
  '#e377c2',
  '#17a5b5',
];
/** Light or dark, as whoever looks at the page has it. */
const STYLE = `<style>
.page { fill: #ffffff } text { fill: #1f2328 } .rule { stroke: #d8dce0 }
@media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #e6edf3 } .rule { stroke: #30363d } }
</style>`;

const [dataName] = process.argv.slice(2);
const curves: Curve[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.startsWith('{"section":"lists"')) continue;
  const curve = JSON.parse(line) as Curve;
  if (curve.data === dataName) curves.push(curve);
}
process.stdout.write(pictureOf(curves));

/** The share of what is missed, on a logarithmic scale: 0.9, 0.99 and 0.999 are equally far apart. */
function xOf(recall: number): number {
  const share =
    Math.log(Math.max(1 - recall, MISSED_MIN) / (1 - RECALL_MIN)) / Math.log(MISSED_MIN / (1 - RECALL_MIN));
  return SIZE.left + share * (SIZE.width - SIZE.left - SIZE.right);
}

function pictureOf(drawn: readonly Curve[]): string {
  const speeds = drawn.flatMap(({ points }) =>
    points.filter(({ recall }) => recall >= RECALL_MIN).map(({ queriesPerSecond }) => queriesPerSecond),
  );
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...speeds)));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...speeds)));
  const yOf = (speed: number): number =>
    SIZE.height -
    SIZE.bottom -
    (Math.log(speed / lowest) / Math.log(highest / lowest)) * (SIZE.height - SIZE.top - SIZE.bottom);
  const title = `${dataName}: queries/s on one thread against recall@10`;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    STYLE,
    '<rect width="100%" height="100%" class="page"/>',
    text(SIZE.left, 18, title, 'start'),
  ];
  for (const recall of [0.8, 0.9, 0.95, 0.99, 0.995, 0.999]) {
    lines.push(rule(xOf(recall), SIZE.top, xOf(recall), SIZE.height - SIZE.bottom));
    lines.push(text(xOf(recall), SIZE.height - SIZE.bottom + 18, String(recall), 'middle'));
  }
  for (let speed = lowest; speed <= highest; speed *= 10) {
    lines.push(rule(SIZE.left, yOf(speed), SIZE.width - SIZE.right, yOf(speed)));
    lines.push(text(SIZE.left - 6, yOf(speed) + 4, speed.toLocaleString('en'), 'end'));
  }
  let family = -1;
  let peers = 0;
  for (const [number, { library, points }] of drawn.entries()) {
    // Ours is the first of each family.
    const isOurs = library.startsWith('elanus');
    family += isOurs ? 1 : 0;
    peers = isOurs ? 0 : peers + 1;
    const colour = COLOURS[family % COLOURS.length]!;
    const dashes = isOurs ? '' : ` stroke-dasharray="${peers === 1 ? '5 4' : '1 3'}"`;
    const path = points
      .filter(({ recall }) => recall >= RECALL_MIN)
      .toSorted((a, b) => a.recall - b.recall)
      .map(({ recall, queriesPerSecond }) => `${xOf(recall).toFixed(1)},${yOf(queriesPerSecond).toFixed(1)}`)
      .join(' ');
    const y = SIZE.top + 16 * number;
    const from = SIZE.width - SIZE.right + 12;
    lines.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`);
    lines.push(`<path d="M${from} ${y} h24" stroke="${colour}" stroke-width="2"${dashes}/>`);
    lines.push(text(from + 30, y + 4, library, 'start'));
  }
  return `${[...lines, '</svg>'].join('\n')}\n`;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)} L${x2.toFixed(1)} ${y2.toFixed(1)}" class="rule"/>`;
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
}
