/** What we keep beside an object, in words that every service allows. */
export const METADATA = { mark: 'elanusmark', crc32: 'elanuscrc32' } as const;

/** A CRC-32 as metadata has it: eight hexadecimal digits. */
export function crcText(crc32: number): string {
  return crc32.toString(16).padStart(8, '0');
}

/** The CRC-32 in an object's metadata; `null` when there is none that can be read. */
export function readCrc(metadata: Readonly<Record<string, unknown>> | undefined): number | null {
  const text = metadata?.[METADATA.crc32];
  return typeof text === 'string' && /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : null;
}
