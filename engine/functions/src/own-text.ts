/** V8 makes no part of a text that is shorter: it copies. */
const PART_UNITS_MIN = 13;

/** The same text, for keeping: a part of a longer text would keep all of that in memory. */
export function ownText(text: string): string {
  return text.length < PART_UNITS_MIN ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}
