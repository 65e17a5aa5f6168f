import { Redis } from 'ioredis';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
}

/**
 * Sends one command over a connection of its own and throws if the server is away. Servers come
 * and go in these tests; a connection that is kept would have to be nursed.
 */
export async function ask(
  { host, port, password }: Address,
  command: string,
  ...args: (string | number)[]
): Promise<unknown> {
  const client = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    // Nothing but the command: a frozen server must not hold up the connection.
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: 1000,
    commandTimeout: 2000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // What went wrong is in the rejection; without a listener it would also be printed.
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}
