import { isAbsolute } from 'node:path';
import { namedResources } from '@elanus/functions';
import { invalidParameter, missingParameter, refused } from '@elanus/model';
import type { AccessDependencies, Handlers } from '../handler.ts';

const NAME_BYTES_MAX = 255;
/** What the key of an object may have. */
const PATH_BYTES_MAX = 1024;

/** Files of words for analyzers, by names: put into the object store by whoever has them. */
export function fileResourceHandlers({ root, files }: Pick<AccessDependencies, 'root' | 'files'>): Handlers {
  /** The collection of which a field's analyzer names the resource; `undefined`: none. */
  const userOf = async (resource: string): Promise<string | undefined> => {
    for (const { name: database } of await root.listDatabases())
      for (const { name, schema } of await root.listCollections(database))
        for (const { typeParams } of schema.fields)
          for (const { key, value } of typeParams)
            if (key.endsWith('analyzer_params') && (await namedResources(value)).has(resource)) return name;
    return undefined;
  };

  return {
    async AddFileResource({ name, path }) {
      if (name === '') throw missingParameter('the name of a file resource must be set', 'name');
      if (Buffer.byteLength(name) > NAME_BYTES_MAX || Buffer.byteLength(path) > PATH_BYTES_MAX)
        throw invalidParameter(
          `a file resource has a name of at most ${NAME_BYTES_MAX} bytes and a path of ${PATH_BYTES_MAX}`,
        );
      // A file of the machine needs no name.
      if (path === '' || isAbsolute(path))
        throw invalidParameter(`the path of a file resource is one of the object store: "${path}"`);
      if (files === undefined) throw invalidParameter('files of words are not read here');
      await (await files.open(path)).close();
      await root.addFileResource(name, path);
      return {};
    },

    async RemoveFileResource({ name }) {
      const user = await userOf(name);
      if (user !== undefined) throw refused(`file resource ${name} is used by collection ${user}`);
      await root.removeFileResource(name);
      return {};
    },

    async ListFileResources() {
      return { resources: [...(await root.listFileResources())] };
    },
  };
}
