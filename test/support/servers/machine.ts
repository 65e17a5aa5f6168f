// Where servers run: on this machine, or in a container.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { returnPort, takePort } from './ports.js';
import { launch } from './process.js';
import { FOLDER_PREFIX, watchFolder } from './watchdog.js';

export interface ServerProcess {
  readonly pid: number;
  /** The last lines that it printed. */
  output(): string;
  /** Ends it and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

export interface Machine {
  /** The address to listen on so that this machine reaches the server as 127.0.0.1. */
  readonly bind: string;
  takePort(): Promise<number>;
  returnPort(port: number): Promise<void>;
  makeFolder(files: Readonly<Record<string, string>>): Promise<string>;
  removeFolder(folder: string): Promise<void>;
  /** Starts a server in the folder and waits until it prints what `ready` matches. */
  launch(args: readonly string[], folder: string, ready: RegExp): Promise<ServerProcess>;
}

export function thisMachine(program: string): Machine {
  const forget = new Map<string, () => void>();
  return {
    bind: '127.0.0.1',
    takePort,
    returnPort,
    async makeFolder(files) {
      // Short, because the path of a unix socket must be.
      const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
      forget.set(folder, watchFolder(folder));
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(folder, name), content, { mode: 0o600 });
      }
      return folder;
    },
    async removeFolder(folder) {
      await rm(folder, { recursive: true, force: true });
      forget.get(folder)?.();
    },
    launch: (args, folder, ready) => launch(program, args, { ready, cwd: folder }),
  };
}
