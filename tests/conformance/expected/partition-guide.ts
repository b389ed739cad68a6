import type { Expected } from '../harness/program.ts';

const released = (...partitions: string[]) =>
  Object.fromEntries(['orchard', ...partitions].map((name) => [name, 'NotLoad']));

/**
 * What a correct server answers to the partition guide, whatever the language of the program. The
 * trees 1 to 3 stand in `north`, 4 to 6 in `south`, 7 and 8 in the default partition, and the search
 * vector is nearest to the smallest.
 */
export const partitionGuide: Readonly<Record<string, Expected>> = {
  'a new collection has the default partition': ['_default'],
  'a partition is created': ['_default', 'north'],
  'another partition is created': ['_default', 'north', 'south'],
  'creating a partition again changes nothing': ['_default', 'north', 'south'],
  'a partition that exists is found': true,
  'a partition that does not exist is not found': false,
  'nothing is loaded at first': released('_default', 'north', 'south'),
  'rows go into a named partition': 3,
  'rows go into another partition': 3,
  'rows without a partition go into the default one': 2,
  "rows can't go into an unknown partition": { fails: 'partition not found[partition=east]' },
  'a partition counts its rows': 3,
  'a query of a released collection is refused': { fails: 'collection not loaded' },
  'one partition is loaded': { orchard: 'Loaded', north: 'Loaded', south: 'NotLoad' },
  'a query finds the rows of the loaded partition': [1, 2, 3],
  'a query of a released partition is refused': { fails: 'partition not loaded' },
  "a loaded partition can't be dropped": {
    fails: 'partition cannot be dropped, partition is loaded, please release it first',
  },
  'several partitions are loaded in one call': { orchard: 'Loaded', north: 'Loaded', south: 'Loaded' },
  'a query finds the rows of both': [1, 2, 3, 4, 5, 6],
  'a query can be kept to one partition': [4, 5, 6],
  'a filter and a partition work together': [6],
  'a search can be kept to one partition': [4, 5, 6],
  'a search can be kept to several partitions': [1, 2, 3, 4, 5, 6],
  'a search in a partition takes a filter': [1, 3],
  'a query of an unknown partition is refused': { fails: 'partition name east not found' },
  'a search of an unknown partition is refused': { fails: 'partition name east not found' },
  'a delete in the wrong partition deletes nothing': [1, 2, 3, 4, 5, 6],
  'a delete in its partition deletes': [1, 2, 3, 4, 6],
  'an upsert in a partition replaces the row': 'peach',
  'one partition is released': { orchard: 'Loaded', north: 'Loaded', south: 'NotLoad' },
  'several partitions are released in one call': released('north', 'south'),
  'the whole collection is loaded': {
    orchard: 'Loaded',
    _default: 'Loaded',
    north: 'Loaded',
    south: 'Loaded',
  },
  'a query finds the rows of all partitions': [1, 2, 3, 4, 6, 7, 8],
  'a partition made after the load can be read': [20],
  'the whole collection is released': released('_default', 'north', 'south'),
  'loading an unknown partition is refused': { fails: 'partition not found' },
  'some fields of a partition are loaded': { orchard: 'Loaded', north: 'Loaded', south: 'NotLoad' },
  'a loaded field is returned': [{ tree: 1 }, { tree: 2 }],
  'a field that was left out is not returned': { fails: 'not loaded' },
  'a field that was left out is no filter': { fails: 'not loaded' },
  'the dynamic field that was left out is no filter': { fails: 'not loaded' },
  'a load with other fields is refused': { fails: "can't change the load field list" },
  'the partition is released again': released('north', 'south'),
  "the primary key can't be left out of a load": { fails: 'does not contain primary key' },
  'a released partition is dropped': ['_default', 'north', 'west'],
  'dropping an unknown partition changes nothing': ['_default', 'north', 'west'],
  "the default partition can't be dropped": { fails: 'default partition cannot be deleted' },
  'the rows of a dropped partition are gone': [1, 2, 3, 7, 8, 20],
};
