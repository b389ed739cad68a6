import { refused } from '@elanus/model';
import type { FileResource } from '@elanus/rpc';
import type { Catalog } from '../catalog/catalog.ts';
import type { IdAllocator } from './id-allocator.ts';

/** Names of files in the object store that analyzers take words from, the same in all databases. */
export class FileResources {
  readonly #catalog: Catalog;
  readonly #ids: IdAllocator;

  constructor(options: { readonly catalog: Catalog; readonly ids: IdAllocator }) {
    this.#catalog = options.catalog;
    this.#ids = options.ids;
  }

  /** In order of creation. */
  list(): readonly FileResource[] {
    return this.#catalog.files.resources();
  }

  /** The same again changes nothing. @throws MilvusError 65535 when the name stands for another file */
  async add(name: string, path: string): Promise<void> {
    await this.#catalog.withDatabases(async () => {
      const known = this.list().find((resource) => resource.name === name);
      if (known?.path === path) return;
      if (known !== undefined) throw refused(`file resource ${name} already exists with path ${known.path}`);
      const resource = { id: await this.#ids.allocate(1), name, path };
      await this.#catalog.commit([{ kind: 'put-file-resource', resource }]);
    });
  }

  /** A name that nothing has counts as removed. */
  async remove(name: string): Promise<void> {
    await this.#catalog.withDatabases(async () => {
      const resource = this.list().find((known) => known.name === name);
      if (resource !== undefined)
        await this.#catalog.commit([{ kind: 'remove-file-resource', id: resource.id }]);
    });
  }
}
