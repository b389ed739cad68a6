import { importFailed, type KeyValue } from '@elanus/model';

/** How the files of an import are to be read. */
export interface ImportOptions {
  readonly kind: 'import' | 'rehearsal';
  /** Of CSV: one character. */
  readonly separator: string;
  /** Of CSV: what stands for null where a field may be null. */
  readonly nullText: string;
  /** `null`: as long as it takes. */
  readonly timeoutMs: number | null;
  /** What makes its rows visible: their end, or whoever asks for it then. */
  readonly commit: 'at the end' | 'when asked';
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const NO_SEPARATORS = ['\0', '\n', '\r', '"', '�'];
/** Formats that hold Milvus' own files; taking them for something else would lose rows. */
const REFUSED_FLAGS = ['backup', 'l0_import'];
const YES = ['true', 't', '1'];
const NO = ['false', 'f', '0'];

/** Keys without a meaning here are passed over, as Milvus does. @throws MilvusError 2100 */
export function readImportOptions(options: readonly KeyValue[]): ImportOptions {
  const values = new Map(options.map(({ key, value }) => [key.toLowerCase(), value]));
  const isTrue = (key: string): boolean => YES.includes(values.get(key)?.toLowerCase() ?? '');
  const refused = REFUSED_FLAGS.find(isTrue);
  if (refused !== undefined) throw importFailed(`files of option ${refused} are not supported`);
  const separator = values.get('sep') ?? ',';
  if ([...separator].length !== 1 || separator.length !== 1 || NO_SEPARATORS.includes(separator))
    throw importFailed(`unsupported csv separator: ${JSON.stringify(separator)}`);
  return {
    kind: isTrue('dry_run') || isTrue('dryrun') ? 'rehearsal' : 'import',
    separator,
    nullText: values.get('nullkey') ?? '',
    timeoutMs: values.has('timeout') ? durationMs(values.get('timeout')!) : null,
    commit: NO.includes(values.get('auto_commit')?.toLowerCase() ?? '') ? 'when asked' : 'at the end',
  };
}

/** Whether rows wait, when they are read, for somebody to say that they become visible. */
export function isCommittedWhenAsked(options: readonly KeyValue[]): boolean {
  return readImportOptions(options).commit === 'when asked';
}

/** `300s`, `1h30m`. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const isWhole = parts.map(([part]) => part).join('') === text && parts.length > 0;
  if (!isWhole) throw importFailed(`parse timeout failed: ${JSON.stringify(text)}`);
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS_MS[unit!]!, 0);
}
