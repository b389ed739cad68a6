import { open, type RootDatabase } from 'lmdb';

/**
 * Opens the environment in the file at `path`, the same way in every thread. `overlappingSync` would let
 * LMDB's binding report a commit before its sync.
 */
export function openEnvironment(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
}
