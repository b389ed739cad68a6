/** How each C++ file of the kernel is compiled. */
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export const packageDirectory = join(import.meta.dirname, '..');
/** The C++ compiler: `CXX`, else g++. */
export const compiler = process.env.CXX ?? 'g++';
export const LIBRARY_SOURCES = 'src/cc/**/*.cc';
export const BINDING_SOURCES = 'src/binding/*.cc';

const nodeHeaders = join(
  dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
  'include',
);
const FLAGS: readonly string[] = [
  ...['-std=c++20', '-O3', '-fPIC', '-fvisibility=hidden', '-pthread'],
  // A fused multiply-add rounds once; where the compiler chose freely, a score could depend on the loop it is in.
  '-ffp-contract=off',
  ...['-Wall', '-Wextra', '-Werror', '-Wno-psabi'],
  ...['-DNAPI_VERSION=8', `-I${join(packageDirectory, 'include')}`, `-I${nodeHeaders}`],
];

interface Machine {
  readonly processor: NodeJS.Architecture;
  readonly flags: readonly string[];
}

/** By the end of a file's name. */
const MACHINES: Readonly<Record<string, Machine>> = {
  _avx2: { processor: 'x64', flags: ['-mavx2', '-mfma', '-mf16c', '-mpopcnt'] },
  _avx512: {
    processor: 'x64',
    flags: [
      ...['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512vnni', '-mavx512vpopcntdq'],
      ...['-mfma', '-mf16c', '-mprefer-vector-width=512'],
      // GCC's own header trips over it: https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105593
      ...['-Wno-uninitialized', '-Wno-maybe-uninitialized'],
    ],
  },
  _neon: { processor: 'arm64', flags: [] },
};

/** The flags to compile `source` with; `null` when it is for another processor. */
export function flagsOf(source: string): readonly string[] | null {
  const name = basename(source, '.cc');
  const machine = Object.entries(MACHINES).find(([ending]) => name.endsWith(ending))?.[1];
  if (machine === undefined) return FLAGS;
  return machine.processor === process.arch ? [...FLAGS, ...machine.flags] : null;
}
