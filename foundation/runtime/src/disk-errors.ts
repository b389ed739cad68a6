import { DiskError, type DiskErrorKind } from './disk.ts';

const KIND_BY_CODE: Readonly<Record<string, DiskErrorKind>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
};

/** Runs `work` on the file at `path`; what the system says of it becomes a `DiskError`. */
export async function translated<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiskError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DiskError(KIND_BY_CODE[code ?? ''] ?? 'failed', path, message ?? String(error), error);
  }
}
