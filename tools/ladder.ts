/** Checks that imports point down the ladder of docs: `npm run ladder`. */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Import, importsOf } from './imports.ts';
import { type Problem, report, type SourceFile, sourceFiles } from './source-files.ts';

export interface WorkspacePackage {
  readonly name: string;
  readonly folder: string;
  /** Names in its dependencies and devDependencies. */
  readonly declared: ReadonlySet<string>;
}

/** A package may import what stands on a lower step. What is missing here stands outside and is told why below. */
const STEPS: Readonly<Record<string, number>> = {
  '@elanus/model': 0,
  '@elanus/proto': 0,
  '@elanus/kernel': 0,
  '@elanus/runtime': 1,
  '@elanus/expr': 1,
  '@elanus/formats': 1,
  '@elanus/rpc': 2,
  '@elanus/meta-store': 2,
  '@elanus/object-store': 2,
  '@elanus/functions': 2,
  '@elanus/ql': 2,
  '@elanus/segment': 3,
  '@elanus/message-log': 3,
  '@elanus/access': 4,
  '@elanus/coordinator': 4,
  '@elanus/worker': 4,
  '@elanus/launcher': 5,
  '@elanus/embedded': 5,
  elanus: 6,
};

/** Types alone may cross here: the border to the kernel speaks of the model. */
const TYPES_ONLY: readonly (readonly [from: string, to: string])[] = [['@elanus/kernel', '@elanus/model']];

/** Imports of `files` that the ladder, the borders of packages or a package.json forbid. */
export function ladderProblems(
  files: readonly SourceFile[],
  packages: readonly WorkspacePackage[],
): Problem[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((imported) => {
      const message = objection(file, imported, packages);
      return message === undefined ? [] : [{ path: file.path, line: imported.line, message }];
    }),
  );
}

function objection(
  file: SourceFile,
  imported: Import,
  packages: readonly WorkspacePackage[],
): string | undefined {
  const own = packages.find(({ folder }) => file.path.startsWith(`${folder}/`));
  if (imported.from.startsWith('.')) return objectionToNeighbour(file, imported.from, own, packages);
  if (isBuiltin(imported.from)) return undefined;
  const name = packageName(imported.from);
  const forTests = imported.from === `${name}/testing` && isForTests(file);
  if (name in STEPS && imported.from !== name && !forTests) {
    return `${imported.from} reaches into a package: export what you need from the index.ts of ${name} and import ${name}`;
  }
  const undeclared = own !== undefined && name !== own.name && !own.declared.has(name);
  if (undeclared && !isForTests(file))
    return `${name} is not in ${own.folder}/package.json: add it there, or do without it`;
  if (!(name in STEPS) || own === undefined || isForTests(file)) return undefined;
  return objectionToStep(imported, own, name);
}

function objectionToNeighbour(
  file: SourceFile,
  from: string,
  own: WorkspacePackage | undefined,
  packages: readonly WorkspacePackage[],
): string | undefined {
  if (!/\.(ts|js|json)$/.test(from))
    return `${from} has no ending: write the file's full name, ending in .ts`;
  const target = posix.join(posix.dirname(file.path), from);
  if (own === undefined || target.startsWith(`${own.folder}/`)) return undefined;
  const other = packages.find(({ folder }) => target.startsWith(`${folder}/`));
  return `${from} leaves the package ${own.name}: import ${other?.name ?? 'a package'} by its name, or move the file here`;
}

/** Who speaks Milvus' protocol: the edge, and clients. */
const WIRE_SPEAKERS = ['@elanus/access', 'elanus'];

function objectionToStep(imported: Import, own: WorkspacePackage, name: string): string | undefined {
  if (name === '@elanus/proto' && !WIRE_SPEAKERS.includes(own.name)) {
    return 'the wire stops at access: take a type of @elanus/model or @elanus/rpc instead of @elanus/proto';
  }
  const ownStep = STEPS[own.name];
  if (ownStep === undefined) {
    return own.folder.startsWith('examples')
      ? 'examples show what a user has: use a public client'
      : undefined;
  }
  const step = STEPS[name]!;
  if (step < ownStep || name === own.name) return undefined;
  if (TYPES_ONLY.some(([from, to]) => from === own.name && to === name) && imported.typeOnly)
    return undefined;
  if (step === ownStep && step === 4) {
    return `access, coordinator and worker never import each other: meet ${name} through an interface in @elanus/rpc`;
  }
  const way = step === ownStep ? 'stands on the same step' : 'stands above';
  return `${name} ${way} of ${own.name}: move what both need to a lower package, or take it through the constructor`;
}

function packageName(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Tests put together what the program must not, with tools that the root package.json brings. */
function isForTests({ path }: SourceFile): boolean {
  return (
    path.endsWith('.test.ts') ||
    /(^|\/)(testing|tests|bench|tools)\//.test(path) ||
    /-fixture\.ts$/.test(path)
  );
}

function workspacePackages(): WorkspacePackage[] {
  return globSync('{foundation,storage,engine,server,clients,tests,bench,examples}/**/package.json', {
    exclude: (path) => path.includes('node_modules'),
  }).map((path) => {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    const declared = { ...manifest.dependencies, ...manifest.devDependencies };
    return { name: manifest.name, folder: posix.dirname(path), declared: new Set(Object.keys(declared)) };
  });
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

if (import.meta.main) report(ladderProblems(sourceFiles(), workspacePackages()), 'ladder');
