interface StageMs {
  readonly stage: string;
  readonly ms: number;
}

/** Times the stages of something that does one after the other: what lies between two laps belongs to the later one. */
export class StageTimes {
  readonly #nowMs: () => number;
  readonly #stages: Map<string, number>;
  #lastMs: number;

  /** `nowMs` never steps back; the next stage begins at `beganMs`. */
  constructor(nowMs: () => number, beganMs: number, stages: readonly StageMs[] = []) {
    this.#nowMs = nowMs;
    this.#lastMs = beganMs;
    this.#stages = new Map(stages.map(({ stage, ms }) => [stage, ms]));
  }

  /** Ends the stage that has run since the last call. A stage that comes again grows. */
  lap(stage: string): void {
    const nowMs = this.#nowMs();
    this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** Another one that goes on from here. */
  fork(): StageTimes {
    return new StageTimes(this.#nowMs, this.#lastMs, this.all);
  }

  /** In the order in which they ended first. */
  get all(): readonly StageMs[] {
    return Array.from(this.#stages, ([stage, ms]) => ({ stage, ms }));
  }
}
