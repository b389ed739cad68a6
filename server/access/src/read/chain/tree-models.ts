import { extname } from 'node:path';
import { BoostedTrees, readUbjson } from '@elanus/functions';
import { invalidParameter } from '@elanus/model';
import type { FileResource } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { runInSlices } from '../../rows/sliced-work.ts';

const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Models that are kept; of more those that nobody has used for longest are read anew. */
const KEPT_MAX = 8;

/** Models of trees in files of the object store, by the names of file resources. Read when they are first used. */
export class TreeModels {
  readonly #dependencies: Pick<AccessDependencies, 'root' | 'files' | 'share'>;
  /** Those used last come last. */
  readonly #known = new Map<string, Promise<BoostedTrees>>();

  constructor(dependencies: Pick<AccessDependencies, 'root' | 'files' | 'share'>) {
    this.#dependencies = dependencies;
  }

  /** @throws MilvusError 1100 for a name without such a file, and for a file that can't be used */
  async get(name: string): Promise<BoostedTrees> {
    const resource = (await this.#dependencies.root.listFileResources()).find((each) => each.name === name);
    if (resource === undefined || extname(resource.path).toLowerCase() !== '.ubj')
      throw invalidParameter(`xgboost: file resource "${name}" not found`);
    const key = `${resource.id}:${resource.path}`;
    const reading = this.#known.get(key) ?? this.#read(resource);
    this.#known.delete(key);
    this.#known.set(key, reading);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT_MAX) break;
      this.#known.delete(oldest);
    }
    try {
      return await reading;
    } catch (error) {
      // The file may be better the next time.
      if (this.#known.get(key) === reading) this.#known.delete(key);
      throw error;
    }
  }

  async #read({ path }: FileResource): Promise<BoostedTrees> {
    const { files, share } = this.#dependencies;
    if (files === undefined) throw invalidParameter('models of trees are not read here');
    const file = await files.open(path);
    try {
      if (file.size > FILE_BYTES_MAX)
        throw invalidParameter(`${path} has ${file.size} bytes, and models at most ${FILE_BYTES_MAX}`);
      const bytes = await file.read(0, file.size);
      return await runInSlices(BoostedTrees.of(await runInSlices(readUbjson(bytes), share)), share);
    } finally {
      await file.close();
    }
  }
}
