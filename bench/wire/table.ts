import type { Peer } from './peers.ts';

/** What one server reached in one measurement. */
export interface Figure {
  readonly measurement: string;
  readonly peer: string;
  /** In `unit`; `null` when the server cannot do it. */
  readonly value: number | null;
  readonly unit: string;
  /** Whether a larger value is the better one. */
  readonly better: 'more' | 'less';
  readonly note?: string;
}

/** Collects figures, prints each as a JSON line when it comes, and all of them as one table of ratios at the end. */
export class Table {
  readonly #figures: Figure[] = [];

  add(peer: Peer | { readonly name: string }, figure: Omit<Figure, 'peer'>): void {
    const complete = { ...figure, peer: peer.name };
    this.#figures.push(complete);
    console.error(JSON.stringify(complete));
  }

  valueOf(measurement: string, peer: string): number | null {
    return (
      this.#figures.find((figure) => figure.measurement === measurement && figure.peer === peer)?.value ??
      null
    );
  }

  /** Markdown: a row a measurement, a column a server, and how many times better the first is than each other. */
  toMarkdown(peers: readonly string[]): string {
    const shown = this.#figures.filter((figure) => peers.includes(figure.peer));
    const measurements = [...new Set(shown.map((figure) => figure.measurement))];
    const head = ['measurement', ...peers, ...peers.slice(1).map((peer) => `× ${peer}`), 'note'];
    const rows = measurements.map((measurement) => {
      const figures = peers.map((peer) =>
        this.#figures.find((figure) => figure.measurement === measurement && figure.peer === peer),
      );
      const ratios = figures.slice(1).map((other) => ratio(figures[0], other));
      const note = figures
        .flatMap((figure) => (figure?.note ? [`${figure.peer}: ${figure.note}`] : []))
        .join('; ');
      return [measurement, ...figures.map(cell), ...ratios, note];
    });
    return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }
}

function cell(figure: Figure | undefined): string {
  if (figure?.value === undefined || figure.value === null) return '–';
  const digits = figure.value >= 100 ? 0 : figure.value >= 10 ? 1 : 2;
  return `${figure.value.toLocaleString('en', { maximumFractionDigits: digits })} ${figure.unit}`;
}

/** How many times better `ours` is. */
function ratio(ours: Figure | undefined, other: Figure | undefined): string {
  if (!ours?.value || !other?.value) return '–';
  const times = ours.better === 'more' ? ours.value / other.value : other.value / ours.value;
  return times.toFixed(times >= 10 ? 0 : 2);
}
