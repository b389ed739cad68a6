import { acceptLoss, readConfiguration, StartError, type StartOptions } from '@elanus/launcher';

/** Accepts what the log of a collection has lost, and says what that was. Sets the exit code. */
export async function acceptLossOf(
  collection: string,
  options: Pick<StartOptions, 'data' | 'config'>,
): Promise<void> {
  try {
    const configuration = await readConfiguration(options, process.env, process.cwd());
    const losses = await acceptLoss(configuration, collection);
    for (const { file, offset, reason } of losses)
      process.stdout.write(`accepted: ${file}${offset === 0 ? '' : ` at byte ${offset}`}: ${reason}\n`);
    if (losses.length === 0) process.stdout.write(`nothing of ${collection} is lost\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`elanus: ${error.message}\n`);
    process.exitCode = 1;
  }
}
