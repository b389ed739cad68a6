/** Where Elanus means to answer otherwise than Milvus 2.3.5, and why. */
export interface ListedDifference {
  /** The steps it is about, by their sentences; absent for all. */
  readonly steps?: RegExp;
  readonly path: RegExp;
  readonly why: string;
}

export const listedDifferences: readonly ListedDifference[] = [];
