import { loadShapes } from './geometry.ts';
import { requireRegex } from './regex.ts';
import type { Work } from './work.ts';

/**
 * Loads what the first pattern and the first shape would wait for, a library at a time: each holds the event loop for some
 * milliseconds.
 */
export function* loadingLibraries(): Work<void> {
  loadShapes();
  yield;
  // The first pattern makes the tables that all others share.
  requireRegex('a', 'parse');
}
