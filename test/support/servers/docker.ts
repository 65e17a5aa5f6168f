// Servers in Docker, for machines that have neither a server nor the packages of one.
//
// One container stands for a whole machine: all servers of a test process run in it, on ports that
// have the same number inside and outside. So the nodes of a cluster reach each other under the
// very addresses that they tell the clients, whatever network Docker has.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { launchWith } from './docker-process.js';
import type { Machine } from './machine.js';
import { returnPort, takePort } from './ports.js';

/** The part of a container of testcontainers that is used here. */
export interface Container {
  exec(command: string[]): Promise<{ output: string; exitCode: number }>;
  copyContentToContainer(files: { content: string; target: string }[]): Promise<void>;
  stop(): Promise<unknown>;
}

type StartContainer = (image: string, ports: readonly number[]) => Promise<Container>;

interface Box {
  readonly container: Promise<Container>;
  readonly free: number[];
  /** How many servers run in it, or are about to. */
  users: number;
}

const PORTS = 24;
const boxes = new Map<string, Box>();

/** Whether it is worth asking: loading testcontainers takes longer than a server. */
export function mayHaveDocker(env: NodeJS.ProcessEnv): boolean {
  const sockets = [
    '/var/run/docker.sock',
    join(env['XDG_RUNTIME_DIR'] ?? '/run', 'docker.sock'),
    join(homedir(), '.docker/run/docker.sock'),
    '//./pipe/docker_engine',
  ];
  return Boolean(env['DOCKER_HOST']) || sockets.some((path) => existsSync(path));
}

export const startContainer: StartContainer = async (image, ports) => {
  const { GenericContainer, Wait } = await import('testcontainers');
  return (
    new GenericContainer(image)
      .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
      .withEntrypoint(['tail', '-f', '/dev/null'])
      // By default it would wait for the servers, which start later.
      .withWaitStrategy(Wait.forSuccessfulCommand('true'))
      .withStartupTimeout(120_000)
      .start()
  );
};

export function machineInDocker(
  image: string,
  program: string,
  start: StartContainer = startContainer,
): Machine {
  const run = async (command: string[]) => (await box().container).exec(command);
  const box = () => {
    const own = boxes.get(image) ?? openBox(image, start);
    boxes.set(image, own);
    return own;
  };
  const giveBack = async (port?: number) => {
    const own = box();
    if (port !== undefined) own.free.push(port);
    own.users -= 1;
    if (own.users > 0) return;
    boxes.delete(image);
    const container = await own.container.catch(() => undefined);
    await container?.stop();
    await Promise.all(own.free.map(returnPort));
  };
  return {
    bind: '0.0.0.0',
    async takePort() {
      const own = box();
      own.users += 1;
      try {
        await own.container;
      } catch (error) {
        await giveBack();
        throw error;
      }
      const port = own.free.shift();
      if (port !== undefined) return port;
      await giveBack();
      throw new Error(`all ${PORTS} ports of the container are in use`);
    },
    returnPort: giveBack,
    async makeFolder(files) {
      const folder = (await run(['mktemp', '-d'])).output.trim();
      const copies = Object.entries(files).map(([name, content]) => {
        return { content, target: `${folder}/${name}` };
      });
      if (copies.length > 0) await (await box().container).copyContentToContainer(copies);
      return folder;
    },
    removeFolder: async (folder) => void (await run(['rm', '-rf', folder])),
    launch: (args, folder, ready) => launchWith(run, [program, ...args], folder, ready),
  };
}

function openBox(image: string, start: StartContainer): Box {
  const free: number[] = [];
  const open = async () => {
    while (free.length < PORTS) free.push(await takePort());
    return start(image, [...free]);
  };
  return { container: open(), free, users: 0 };
}
