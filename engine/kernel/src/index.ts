export type * from './kernel.ts';
export { CODE_FACTORS } from './kernel.ts';
export { type KernelOptions, loadKernel } from './load-kernel.ts';
export { dropPages, mapFile, readPages, reservePages, residentBytes } from './map-file.ts';
export { hashTexts, minHash } from './min-hash.ts';
export { allocateFile, pageAligned, trimMemory, tryLockFile } from './posix.ts';
export { measureReadBandwidth } from './read-bandwidth.ts';
export { KernelError } from './status.ts';
export type * from './vector-index.ts';
