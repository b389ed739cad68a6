import type { ExplainLevel, FilterWay, RecallAnalysis, SearchStrategy } from '@elanus/rpc';
import { StageTimes } from '@elanus/runtime';
import type { SelectedRows } from '../select-rows.ts';
import type { ChunkView } from '../shard.ts';

/** What a filter left of a view, and how that was found. */
export interface FilterNote {
  way: FilterWay;
  /** Share of rows, 0 to 1; `null`: nobody knows. */
  estimated: number | null;
  matched: number;
}

/** Rows of some views that were compared in one way. */
export interface SearchNote {
  readonly parts: readonly { readonly view: ChunkView; readonly rows: number }[];
  readonly strategy: SearchStrategy;
  readonly why: string;
  readonly ef: number | null;
  readonly candidates: number | null;
  readonly distances: number | null;
  readonly bytesRead: number | null;
  readonly hits: number;
}

/** What a read notes of itself on its way. There is none unless somebody wants to know. */
export class ReadTrace {
  readonly level: ExplainLevel;
  readonly stages: StageTimes;
  /** By view, in their order; empty when there was no filter. */
  readonly filters = new Map<ChunkView, FilterNote>();
  readonly searches: SearchNote[] = [];
  /** The rows that the read was about, once they are known. */
  selected: readonly SelectedRows[] = [];
  analysis: RecallAnalysis | null = null;

  readonly #nowMs: () => number;

  constructor(level: ExplainLevel, nowMs: () => number, stages = new StageTimes(nowMs, nowMs())) {
    this.level = level;
    this.stages = stages;
    this.#nowMs = nowMs;
  }

  /** Another one for a read that begins where this one is, with the stages so far. */
  fork(): ReadTrace {
    return new ReadTrace(this.level, this.#nowMs, this.stages.fork());
  }

  /** Notes how rows of these views were found; what was noted before stays. */
  noteWay(views: Iterable<ChunkView>, way: FilterWay, estimated: number | null = null): void {
    for (const view of views)
      if (!this.filters.has(view)) this.filters.set(view, { way, estimated, matched: 0 });
  }
}
