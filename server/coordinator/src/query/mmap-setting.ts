import type { KeyValue } from '@elanus/model';

/** What `mmap.enabled` says among properties or parameters; `undefined`: nothing. */
export function mmapSetting(properties: readonly KeyValue[]): 'mapped' | 'in-memory' | undefined {
  const value = properties.find(({ key }) => key === 'mmap.enabled')?.value.toLowerCase();
  if (value === 'true') return 'mapped';
  return value === 'false' ? 'in-memory' : undefined;
}
