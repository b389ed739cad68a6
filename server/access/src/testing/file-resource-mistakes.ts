import { type Mistake, mistakesOf } from './mistake.ts';

/** A file that is not there is told by the object store, with its own words. */
export const FILE_RESOURCE_MISTAKES: readonly Mistake[] = mistakesOf('AddFileResource', [
  [
    'no name',
    { path: 'words.txt' },
    1101,
    'the name of a file resource must be set: missing parameter[missing_param=name]',
  ],
  [
    'too long a name',
    { name: 'n'.repeat(256), path: 'words.txt' },
    1100,
    'a file resource has a name of at most 255 bytes and a path of 1024: invalid parameter',
  ],
  [
    'too long a path',
    { name: 'words', path: 'p'.repeat(1025) },
    1100,
    'a file resource has a name of at most 255 bytes and a path of 1024: invalid parameter',
  ],
  [
    'no path',
    { name: 'words' },
    1100,
    'the path of a file resource is one of the object store: "": invalid parameter',
  ],
  [
    'a file of the machine',
    { name: 'words', path: '/etc/passwd' },
    1100,
    'the path of a file resource is one of the object store: "/etc/passwd": invalid parameter',
  ],
]);
