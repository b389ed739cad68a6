/** How figures are written: JSON lines to standard error as they come, Markdown to standard output. */

/** One line for programs. */
export function jsonLine(figure: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify(figure));
}

/** A Markdown table with a heading. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const printRow = beginTable(title, head);
  for (const cells of rows) printRow(cells);
}

/** The same, row by row, for tables that take minutes. */
export function beginTable(title: string, head: readonly string[]): (cells: readonly string[]) => void {
  const printRow = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  console.log(`\n### ${title}\n`);
  printRow(head);
  printRow(head.map(() => '---'));
  return printRow;
}

/** What a figure has to be. */
export interface Bar {
  readonly name: string;
  /** `null` when it was not measured. */
  readonly reached: number | null;
  readonly bound: number;
  /** `at least` unless it says something else. */
  readonly sense?: 'at least' | 'at most';
}

/** Says of each bar whether it holds. */
export function printBars(title: string, bars: readonly Bar[]): void {
  if (bars.length === 0) return;
  const rows = bars.map((bar) => {
    const { name, reached, bound, sense = 'at least' } = bar;
    jsonLine({ section: 'bar', of: title, name, reached, sense, bound, holds: holds(bar) });
    return [name, `${sense} ${bound}`, times(reached), HOLDS[`${holds(bar)}`]];
  });
  printTable(`${title}: bars`, ['', 'bar', 'reached', ''], rows);
}

const HOLDS = { true: 'holds', false: '**missed**', null: 'not measured' } as const;

function holds({ reached, bound, sense }: Bar): boolean | null {
  if (reached === null) return null;
  return sense === 'at most' ? reached <= bound : reached >= bound;
}

/** A speed to three digits: `45.2 k`, `812`. */
export function speed(value: number | null): string {
  if (value === null) return '–';
  if (value < 1000) return value.toFixed(value < 100 ? 1 : 0);
  return `${(value / 1000).toFixed(value >= 100_000 ? 0 : value >= 10_000 ? 1 : 2)} k`;
}

/** How many times. */
export function times(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
