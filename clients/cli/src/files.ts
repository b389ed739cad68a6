import {
  describeFiles,
  type FileDescription,
  readConfiguration,
  StartError,
  type StartOptions,
} from '@elanus/launcher';

const MEBIBYTE = 1024 * 1024;
const HEADINGS = ['MiB', 'rows', 'what', 'needed by', 'file'] as const;

/** Prints a table of all files, and what they amount to. Sets the exit code. */
export async function files(options: Pick<StartOptions, 'data' | 'config'>): Promise<void> {
  try {
    const configuration = await readConfiguration(options, process.env, process.cwd());
    const found = await Array.fromAsync(describeFiles(configuration));
    process.stdout.write(table(found));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`elanus: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** The numbers to the right, the texts to the left, the last line the sum. */
export function table(found: readonly FileDescription[]): string {
  const lines = found.map(({ path, bytes, rows, what, neededBy }) => [
    mebibytes(bytes),
    rows === null ? '' : String(rows),
    what,
    neededBy === '' ? 'nobody' : neededBy,
    path,
  ]);
  const total = mebibytes(found.reduce((sum, { bytes }) => sum + bytes, 0));
  const all = [[...HEADINGS], ...lines, [total, '', `${found.length} files`, '', '']];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const text = all.map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n`;
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(2);
}
