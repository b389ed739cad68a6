import { openFiles, type Read, viewShards } from './read.ts';
import { lookUpWords, matchedFields } from './words/look-up-words.ts';

/**
 * Opens the files that the read needs and looks up the words that its filter asks about: to be awaited before anything
 * looks at columns. `null` when nothing is to be done, which is so for nearly all reads.
 */
export function prepareRead(read: Read): Promise<unknown> | null {
  const opening = openFiles(read);
  const { predicate } = read.selection ?? {};
  const fields = predicate === undefined ? [] : matchedFields(predicate.condition);
  if (fields.length === 0) return opening;
  const lookUp = async (): Promise<void> => {
    await opening;
    await lookUpWords(read, viewShards(read), fields);
  };
  return lookUp();
}
