/**
 * Runs `simulate` for each seed from `first` and tells `onProgress` of each that passed; rejects with the first
 * failing seed in the message.
 */
export async function runSeeds(
  simulate: (seed: number) => Promise<unknown>,
  options: {
    readonly first: number;
    readonly count: number;
    readonly onProgress?: (seedsDone: number) => void;
  },
): Promise<void> {
  const { first, count, onProgress } = options;
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails: ${(error as Error).message}`, { cause: error });
    }
    onProgress?.(seed - first + 1);
  }
}
