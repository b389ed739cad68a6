import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';

/** @throws StartError when there is no data directory, which opening would make one of */
export async function requireDataDirectory(path: string): Promise<void> {
  const isThere = await stat(join(path, 'catalog')).then(
    () => true,
    () => false,
  );
  if (!isThere) throw new StartError(`${path} is no data directory of Elanus`);
}
