/** Texts behind these names are literals: `ISO '...'` and `INTERVAL '...'`. */
export const TIME_LITERALS: ReadonlyMap<string, 'instant' | 'interval'> = new Map([
  ['iso', 'instant'],
  ['ISO', 'instant'],
  ['interval', 'interval'],
  ['INTERVAL', 'interval'],
]);

/** Calls that are operators of the language, although their names may be those of fields, too. */
export const KEYWORD_CALLS: ReadonlySet<string> = new Set([
  ...['text_match_fuzzy', 'membership_match'],
  ...['element_filter', 'match_all', 'match_any', 'match_least', 'match_most', 'match_exact'],
  ...['st_equals', 'st_touches', 'st_overlaps', 'st_crosses', 'st_contains', 'st_intersects', 'st_within'],
  ...['st_dwithin', 'st_isvalid'],
]);

/** What may stand in front of `=` among the operands of a call. */
export const OPTION_NAMES: ReadonlySet<string> = new Set([
  ...['minimum_should_match', 'threshold', 'max_edit_distance', 'type'],
]);
