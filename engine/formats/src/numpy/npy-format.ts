/** Of a .npy file, as NumPy's documentation of the format draws it (versions 1 to 3). */
export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** Behind the magic: major and minor version, then the length of the header in 2 (version 1) or 4 bytes. */
export const NPY_HEADER = { versionAt: 6, lengthAt: 8, bytesMax: 65_536, alignment: 64 } as const;
