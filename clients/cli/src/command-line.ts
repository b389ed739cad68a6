import { ELANUS_VERSION, type StartOptions } from '@elanus/launcher';
import { Command } from 'commander';

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
  return elanus;
}
