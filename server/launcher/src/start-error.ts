/** Why the server could not start, in one sentence for whoever started it. Nothing was changed. */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
  }
}
