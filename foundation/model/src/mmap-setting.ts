import type { KeyValue } from './key-value.ts';

/** Where `mmap.enabled` wants rows or an index, among properties or parameters; `undefined`: it is not there. */
export function mmapSetting(properties: readonly KeyValue[]): 'mapped' | 'in-memory' | undefined {
  const value = properties.find(({ key }) => key === 'mmap.enabled')?.value.toLowerCase();
  if (value === 'true') return 'mapped';
  return value === 'false' ? 'in-memory' : undefined;
}
