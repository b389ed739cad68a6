/** The most edits that words may be apart and still be found. */
export const EDITS_MAX = 2;

/**
 * Tests whether words are at most `editsMax` edits from `word`: a character more, a character less, another one, or two
 * neighbours in the other order. Characters are code points.
 */
export function likeWord(word: string, editsMax: number): (other: string) => boolean {
  const own = [...word];
  const { length } = own;
  // Rows of the table of distances between the beginnings of both words: this one, the last and the one before.
  let rows = [0, 1, 2].map(() => new Uint32Array(length + 1)) as [Uint32Array, Uint32Array, Uint32Array];
  return (other) => {
    if (other === word) return true;
    // A character has up to two code units.
    if (other.length + editsMax < length || other.length > 2 * (length + editsMax)) return false;
    const characters = [...other];
    if (Math.abs(characters.length - length) > editsMax) return false;
    for (let at = 0; at <= length; at++) rows[1][at] = at;
    for (let row = 1; row <= characters.length; row++) {
      const [current, last, earlier] = rows;
      const character = characters[row - 1]!;
      let least = row;
      current[0] = row;
      for (let at = 1; at <= length; at++) {
        const isSame = own[at - 1] === character;
        let edits = Math.min(last[at]! + 1, current[at - 1]! + 1, last[at - 1]! + (isSame ? 0 : 1));
        const isSwapped =
          row > 1 && at > 1 && own[at - 2] === character && own[at - 1] === characters[row - 2];
        if (isSwapped) edits = Math.min(edits, earlier[at - 2]! + 1);
        current[at] = edits;
        least = Math.min(least, edits);
      }
      if (least > editsMax) return false;
      rows = [earlier, current, last];
    }
    return rows[1][length]! <= editsMax;
  };
}
