/** How figures are written: JSON lines to standard error as they come, Markdown to standard output at the end. */

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
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  console.log(`\n### ${title}\n\n${lines.join('\n')}`);
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
