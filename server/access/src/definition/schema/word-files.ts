import {
  INLINED_PREFIX,
  inlineWordFiles,
  inlineWordFilesOfSeveral,
  type WordFileReader,
} from '@elanus/functions';
import type { KeyValue } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';

/**
 * Reads the files of words that the analyzers of fields name, and keeps what they hold beside the names: what a field
 * means by its words never changes.
 * @throws MilvusError 1100 when a file can't be read, or is none
 */
export async function readWordFiles(
  fields: readonly schema_FieldSchema[],
  read: WordFileReader,
): Promise<void> {
  for (const field of fields) {
    // Nobody but us says what was in a file.
    const params = field.typeParams.filter(({ key }) => !key.startsWith(INLINED_PREFIX));
    field.typeParams = [...params, ...(await inlinedParams(params, read))];
  }
}

/** What the parameters that name files say with the words in place, under names of our own. @throws MilvusError 1100 */
export async function inlinedParams(
  params: readonly KeyValue[],
  read: WordFileReader,
): Promise<readonly KeyValue[]> {
  const inlined: KeyValue[] = [];
  for (const { key, value } of params) {
    const inline = INLINED[key];
    const words = inline === undefined ? value : await inline(value, read);
    if (words !== value) inlined.push({ key: `${INLINED_PREFIX}${key}`, value: words });
  }
  return inlined;
}

const INLINED: Readonly<Record<string, typeof inlineWordFiles | undefined>> = {
  __proto__: null as never,
  analyzer_params: inlineWordFiles,
  multi_analyzer_params: inlineWordFilesOfSeveral,
};
