/** Runs `simulate` for each seed from `first`; rejects with the first failing seed in the message. */
export async function runSeeds(
  simulate: (seed: number) => Promise<void>,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<void> {
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails: ${(error as Error).message}`, { cause: error });
    }
  }
}
