import type { Expected } from '../harness/program.ts';

/**
 * What a correct server answers to the program of the rows, whatever its language. Int64 values are
 * text, because JSON numbers lose what is above 2^53; a hit is a name and its squared distance.
 */
export const rows: Readonly<Record<string, Expected>> = {
  'a collection is created, indexed and loaded': true,
  'it is described field by field': [
    '100 ship INT64',
    '101 name VARCHAR',
    '102 tons DOUBLE',
    '103 place FLOAT_VECTOR',
  ],
  'rows are inserted and their keys returned': ['1', '2', '3', '9007199254740993', '-9223372036854775808'],
  'a query returns rows by ascending key': ['-9223372036854775808', '1', '2', '3', '9007199254740993'],
  'a key above 2^53 is found exactly': ['Dora'],
  'its neighbour is not found': [],
  'a dynamic int64 above 2^53 is compared exactly': ['Cleo'],
  'a dynamic string is compared': ['Bea'],
  'rows are counted': 5,
  'rows are counted under a filter': 3,
  'rows are fetched by their keys': ['Ada', 'Cleo'],
  'a vector comes back': [3, 0, 0, 0],
  'a query has a limit and an offset': ['2', '3'],
  'a search returns the nearest first': ['Ada 1', 'Bea 4', 'Cleo 9'],
  'a search has an offset': ['Cleo 9', 'Dora 16'],
  'a search takes a filter': ['Cleo 9', 'Dora 16', 'Eva 25'],
  'a vector of another dimension is refused': { fails: 'vector dimension mismatch' },
  'an upsert replaces one row and adds another': ['Bettina', 'Fay'],
  'an upsert moves the vector too': ['Ada 1', 'Bettina 6.25'],
  'rows are deleted by key': 4,
  'rows are deleted by filter': 2,
  'what was deleted is not found': ['Bettina 6.25', 'Cleo 9'],
  "a filter that can't be parsed is refused": { fails: 'cannot parse expression: tons >>> 1' },
  'an unknown collection is refused': { fails: '[collection=nowhere]' },
  'a dropped collection is gone': false,
};
