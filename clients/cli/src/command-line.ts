import { ELANUS_VERSION, type StartOptions } from '@elanus/launcher';
import { Command } from 'commander';
import type { ExportOptions } from './export.ts';
import type { MigrateOptions } from './migrate/migrate.ts';

/** Runs the command in `argv` (node's own, with the script's path in second place). Sets the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  await program().parseAsync(argv);
}

function program(): Command {
  const elanus = new Command('elanus')
    .description('A vector database that speaks Milvus')
    .version(ELANUS_VERSION)
    .showHelpAfterError('Try `elanus help`.');
  elanus
    .command('start')
    .description('run the server in the foreground until SIGTERM or SIGINT')
    .option('--data <dir>', 'data directory, made if it is not there (ELANUS_DATA; elanus-data)')
    .option('--host <address>', 'address to listen at (ELANUS_HOST; 127.0.0.1)')
    .option('--port <n>', 'port of gRPC and HTTP, 0 for any free one (ELANUS_PORT; 19530)')
    .option('--admin-port <n>', 'port of /healthz and /metrics, 0 for any free one (ELANUS_ADMIN_PORT; 9091)')
    .option('--config <file>', 'YAML with the keys of Milvus (ELANUS_CONFIG)')
    .allowExcessArguments(false)
    .action(async (options: StartOptions) => {
      const { start } = await import('./start.ts');
      await start(options);
    });
  const files = elanus
    .command('files')
    .description('say what each file of a data directory and its object store is; no server may run on it')
    .option('--data <dir>', 'data directory (ELANUS_DATA; elanus-data)')
    .option('--config <file>', 'YAML with the keys of Milvus (ELANUS_CONFIG)')
    .allowExcessArguments(false)
    .action(async (options: Pick<StartOptions, 'data' | 'config'>) => {
      const { files } = await import('./files.ts');
      await files(options);
    });
  files
    .command('accept-loss')
    .argument('<collection>', 'its name, or <database>.<name>')
    .description('serve what is left of a collection whose log has lost writes, from the next start on')
    .option('--data <dir>', 'data directory (ELANUS_DATA; elanus-data)')
    .option('--config <file>', 'YAML with the keys of Milvus (ELANUS_CONFIG)')
    .allowExcessArguments(false)
    .action(async (collection: string, _: unknown, command: Command) => {
      const { acceptLossOf } = await import('./accept-loss.ts');
      await acceptLossOf(collection, command.optsWithGlobals());
    });
  elanus
    .command('export')
    .description('let a server write the rows of a collection to files')
    .requiredOption('--collection <name>', 'whose rows')
    .requiredOption(
      '--to <folder>',
      'of the object store, or of the directory that the server may use (absolute)',
    )
    .option('--server <address>', 'of the server', 'http://localhost:19530')
    .option('--token <user:password>', 'for the server')
    .option('--database <name>', 'of the collection')
    .option('--partition <names...>', 'only these')
    .option('--filter <expression>', 'only rows that match')
    .option('--fields <names...>', 'only these')
    .option('--format <format>', 'parquet, jsonl or numpy', 'parquet')
    .allowExcessArguments(false)
    .action(async (options: ExportOptions) => {
      const { exportRows } = await import('./export.ts');
      await exportRows(options);
    });
  elanus
    .command('migrate')
    .description('copy databases, collections and rows of a running Milvus, and compare both at the end')
    .requiredOption('--from <address>', 'of Milvus, such as http://localhost:19530')
    .requiredOption('--to <address>', 'of the server that takes them')
    .option('--token <user:password>', 'for the server that takes them')
    .option('--from-token <user:password>', 'for Milvus')
    .option('--database <names...>', 'only these')
    .option('--collection <names...>', 'only these')
    .option('--progress <file>', 'where a run that ends early leaves word', 'elanus-migrate.json')
    .option('--certificate <file>', 'where the comparison goes as JSON')
    .allowExcessArguments(false)
    .action(async (options: MigrateOptions) => {
      const { migrate } = await import('./migrate/migrate.ts');
      await migrate(options);
    });
  return elanus;
}
