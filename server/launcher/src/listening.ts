import { StartError } from './start-error.ts';

/** Turns the errors of listening into a sentence that names the address. @throws StartError */
export async function listening<Server>(
  address: { readonly host: string; readonly port: number },
  start: Promise<Server>,
): Promise<Server> {
  try {
    return await start;
  } catch (error) {
    throw new StartError(sentenceOf(error as NodeJS.ErrnoException, address), error);
  }
}

function sentenceOf(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use by another process`;
    case 'EACCES':
      return `this user has no right to listen at port ${port} on ${host}`;
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} is not known`;
    default:
      return `cannot listen at port ${port} on ${host}: ${error.message}`;
  }
}
