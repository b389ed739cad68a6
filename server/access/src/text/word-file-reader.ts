import { basename, isAbsolute } from 'node:path';
import type { WordFile, WordFileReader } from '@elanus/functions';
import { invalidParameter } from '@elanus/model';
import type { AccessDependencies } from '../handler.ts';

/** Files with more have more words than an analyzer may. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Reads files of words from the object store, and from the directory that imports may read. */
export function wordFileReader({ root, files }: Pick<AccessDependencies, 'root' | 'files'>): WordFileReader {
  const pathOf = async (file: WordFile): Promise<string> => {
    if (file.kind === 'local') {
      if (isAbsolute(file.path)) return file.path;
      throw invalidParameter(`the path of a local file should be absolute: ${file.path}`);
    }
    const { resource, fileName } = file;
    const known = (await root.listFileResources()).find(({ name }) => name === resource);
    if (known === undefined)
      throw invalidParameter(`file resource: ${resource} not found in local resource list`);
    if (basename(known.path) === fileName) return known.path;
    throw invalidParameter(`file resource: ${resource} has no file ${fileName}`);
  };
  return async (file) => {
    const path = await pathOf(file);
    if (files === undefined) throw invalidParameter('files of words are not read here');
    const opened = await files.open(path);
    try {
      if (opened.size > FILE_BYTES_MAX)
        throw invalidParameter(
          `${path} has ${opened.size} bytes, and files of words at most ${FILE_BYTES_MAX}`,
        );
      const text = Buffer.from(await opened.read(0, opened.size)).toString();
      return text.split(/\r?\n/).filter((line) => line !== '');
    } finally {
      await opened.close();
    }
  };
}
