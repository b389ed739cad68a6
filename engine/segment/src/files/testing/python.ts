import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What people open Arrow files with. */
const PACKAGES = ['pyarrow==26.0.1', 'numpy==2.4.6', 'pandas==3.1.1', 'polars==2.1.0', 'duckdb==2.0.0'];
const FOLDER = resolve(import.meta.dirname, '../../../../../node_modules/.cache/arrow-readers');
const INSTALL_WITHIN_MS = 300_000;

/** A Python with the readers, made on first use; or why there is none here. */
export function pythonWithReaders(): { readonly python: string } | { readonly missing: string } {
  const python = join(FOLDER, 'bin/python');
  const marker = join(FOLDER, PACKAGES.join(' '));
  if (existsSync(marker)) return { python };
  try {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const options = { stdio: 'pipe', timeout: INSTALL_WITHIN_MS } as const;
    execFileSync('python3', ['-m', 'venv', FOLDER], options);
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], options);
    writeFileSync(marker, '');
    return { python };
  } catch (error) {
    return { missing: `no Python with ${PACKAGES[0]}: ${(error as Error).message.split('\n', 1)[0]}` };
  }
}
