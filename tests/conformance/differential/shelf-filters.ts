/**
 * Filters sent as queries for keys. One that a server can't do is a difference worth a row in the
 * table, so there is only one idea in each.
 */
export const shelfFilters = [
  'id == 3',
  'id != 3',
  'id in [1, 3, 99]',
  'id not in [1, 3]',
  '2 < id <= 5',
  'id > 2 and id < 5',
  'id < 2 or id > 8',
  'not (id > 2)',
  'id + 1 == 5',
  'id % 3 == 1',
  'tons >= 1.5',
  'tons == 1',
  'new == true',
  'title == "book 4"',
  "title == 'book 4'",
  'title like "book%"',
  'title > "book 5"',
  'info["row"] == 4',
  'info["name"] == "n4"',
  'color == "red"',
  '$meta["size"] > 6',
  'missing == 1',
];

/** Filters that both refuse. */
export const wrongShelfFilters = [
  'id >',
  'nothing > 1 and',
  'title > 5',
  'id == "x"',
  'id in 5',
  'id === 3',
  '"text"',
];
