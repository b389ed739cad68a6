/** Characters that every file system takes in a name as they are, and no shell trips over. */
const PLAIN = /^[A-Za-z0-9_=+,@][A-Za-z0-9._=+,@-]*$/;
const PLAIN_BYTE = /[A-Za-z0-9._=+,@-]/;
/** Only as the first of a name: it would hide the file, or look like an option. */
const ESCAPED_IN_FRONT = /[.-]/;

/**
 * The name of the file or folder for one name of a key: itself where it is plain, other bytes of its UTF-8 as `%XX`,
 * a dot or hyphen at the beginning too. Different names give different files; none is hidden, and none is `.` or `..`.
 */
export function fileName(name: string): string {
  if (PLAIN.test(name)) return name;
  let escaped = '';
  for (const byte of Buffer.from(name)) {
    const character = String.fromCharCode(byte);
    const isPlain = PLAIN_BYTE.test(character) && !(escaped === '' && ESCAPED_IN_FRONT.test(character));
    escaped += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** The name that `fileName` gave this file; `null` when it gave none, so that the file is somebody else's. */
export function nameOfFile(file: string): string | null {
  if (PLAIN.test(file)) return file;
  try {
    const name = decodeURIComponent(file);
    return fileName(name) === file ? name : null;
  } catch {
    return null;
  }
}
