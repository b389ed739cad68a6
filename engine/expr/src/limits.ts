/** Bounds that keep any text from exhausting stack, memory or time; Milvus has none but the message's size. */
export const FILTER_LIMITS = {
  /** UTF-16 units of one filter: room for a million keys of 19 digits. */
  textLengthMax: 32 * 1024 * 1024,
  /** Levels of nesting: every pass over the tree recurses once a level. */
  heightMax: 1_000,
  /** Operators and names outside of lists of constants. */
  nodesMax: 65_536,
  /** Operators, names and odd list elements between two of AND, OR and parentheses in a text of 64 KB or more. */
  stretchMax: 16_384,
  /** Constants in all lists together. */
  listItemsMax: 2_000_000,
  /** UTF-8 bytes between two `%` of a LIKE pattern, because such a run is looked for at every byte of a row. */
  likeInfixBytesMax: 1_024,
  /** Characters of a regular expression, and instructions of the automaton made of it. */
  regexLengthMax: 4_096,
  regexStepsMax: 2_000,
  /** Words, and characters, of a text or phrase to match. */
  matchWordsMax: 1_024,
  /** Words of a `text_match_fuzzy`, each of which is compared with all words of the rows. */
  fuzzyWordsMax: 32,
  matchTextMax: 32_768,
  /** Bytes of a set of values that `membership_match` is given, and about what it may take in memory. */
  memberSetBytesMax: 64 * 1024 * 1024,
  /** Characters of a constant shape. */
  shapeLengthMax: 65_536,
  /** Characters of a filter, or of a part of it, that an error message repeats. */
  messageTextMax: 4_096,
} as const;
