import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port in front of a server's: what clients send passes until `isShut` says otherwise, and nothing from then on. */
export class Gate implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #shut = Promise.withResolvers<void>();
  #isShut: () => boolean;

  private constructor(target: string, isShut: () => boolean) {
    this.#isShut = isShut;
    const { hostname, port } = new URL(`http://${target}`);
    this.#server = createServer((client) => this.#join(client, connect(Number(port), hostname)));
  }

  static async open(target: string, isShut: () => boolean): Promise<Gate> {
    const gate = new Gate(target, isShut);
    await once(gate.#server.listen(0, '127.0.0.1'), 'listening');
    return gate;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when something has come that does not pass. */
  get shut(): Promise<void> {
    return this.#shut.promise;
  }

  /** Lets everything pass that comes from now on. */
  openWide(): void {
    this.#isShut = () => false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), 'close');
  }

  #join(client: Socket, server: Socket): void {
    const end = () => {
      for (const socket of [client, server]) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', end);
    }
    server.pipe(client);
    client.on('data', (chunk) => {
      if (this.#isShut()) this.#shut.resolve();
      else server.write(chunk);
    });
  }
}
