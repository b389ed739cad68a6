/** Checks what the linter can't: `npm run tidy`. Each complaint names the better way. */
import { lineAt, type Problem, report, type SourceFile, sourceFiles } from './source-files.ts';

const LINES_MAX = 400;

/** Files that were longer when the rule came. A number here may shrink, never grow; a file that fits leaves the list. */
const LONGER_FILES: Readonly<Record<string, number>> = {
  'storage/message-log/src/channel-writer.ts': 403,
  'tests/conformance/differential/requests.ts': 500,
};

interface Ban {
  readonly pattern: RegExp;
  readonly message: string;
  /** Where it may stand after all. */
  readonly allowed: RegExp;
}

/** Not part of the server: nobody replays them from a seed. */
const OUTSIDE = /\.test\.ts$|\/testing\/|^(tests|bench|examples|tools|foundation\/runtime)\/|\/tools\//;

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/g,
    message: 'take a Clock through the constructor, so that a test can hold time (@elanus/runtime)',
    // The ready line tells the time since the process began, which only the process knows.
    allowed: /^clients\/cli\/src\/start\.ts$/,
  },
  {
    pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/g,
    message: 'take a Random through the constructor, so that a run repeats from its seed (@elanus/runtime)',
    // Salts of hash tables, against keys chosen to collide, and tokens that only have to be new: neither changes a result.
    allowed: /^engine\/expr\/src\/text-index\.ts$|^server\/access\/src\/read\/search\.ts$/,
  },
  {
    pattern: /\bconsole\.(log|info|warn|error|debug)\(/g,
    message: 'take a Logger through the constructor (@elanus/runtime)',
    allowed: /^clients\//,
  },
  {
    pattern: /\b(TODO|FIXME|XXX)\b/g,
    message: 'do it now, or open an issue and write what is true today',
    allowed: /^tools\/tidy/,
  },
];

/** What is untidy in one file. */
export function tidyProblems(file: SourceFile): Problem[] {
  return [...tooLong(file), ...banned(file)];
}

function tooLong({ path, text }: SourceFile): Problem[] {
  const lines = text.split('\n').length - 1;
  const linesMax = LONGER_FILES[path] ?? LINES_MAX;
  if (lines <= linesMax || path.endsWith('.test.ts')) return [];
  return [
    {
      path,
      line: linesMax + 1,
      message: `${lines} lines, at most ${linesMax}: split it by what its parts are for`,
    },
  ];
}

function banned({ path, text }: SourceFile): Problem[] {
  const code = text.replace(/^[ \t]*(\/\/|\*|\/\*).*$/gm, '');
  return BANS.flatMap(({ pattern, message, allowed }) => {
    const everywhere = pattern.source.includes('TODO');
    if (allowed.test(path) || (!everywhere && OUTSIDE.test(path))) return [];
    const searched = everywhere ? text : code;
    return [...searched.matchAll(pattern)].map((match) => ({
      path,
      line: lineAt(searched, match.index),
      message: `${match[0]}: ${message}`,
    }));
  });
}

if (import.meta.main) report(sourceFiles().flatMap(tidyProblems), 'tidy');
