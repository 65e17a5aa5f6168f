// One server process: started, waited for by what it prints, signalled and ended by its id.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { ServerProcess } from './machine.js';
import { watchProcess } from './watchdog.js';

const KEPT = 4000;

export interface LaunchOptions {
  readonly ready: RegExp;
  readonly cwd: string;
  readonly bound?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Characters of what it printed last that are kept. */
  readonly kept?: number;
  /** Milliseconds that it gets to end before it is killed. */
  readonly patience?: number;
}

/** Starts a program; the promise settles when it prints what `ready` matches, or ends before. */
export async function launch(
  path: string,
  args: readonly string[],
  { ready, cwd, env, bound = 15_000, kept = KEPT, patience = 1000 }: LaunchOptions,
): Promise<ServerProcess> {
  const child = spawn(path, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const outputs = [child.stdout, child.stderr];
  let text = '';
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${path} ${what}\n${text}`));
    };
    const timer = setTimeout(fail, bound, `was not ready within ${bound} ms`);
    child.once('error', (error) => fail(`did not start: ${error.message}`));
    // Not 'exit': by then the last lines may still be on their way.
    child.once('close', (code, signal) => fail(`ended (${signal ?? code})`));
    for (const output of outputs) {
      output.setEncoding('utf8');
      output.on('data', (chunk: string) => {
        text = (text + chunk).slice(-kept);
        if (!ready.test(text)) return;
        clearTimeout(timer);
        resolve();
      });
    }
    if (child.pid !== undefined) void gone.then(watchProcess(child.pid));
  });
  // From here on it does not keep the test process alive.
  child.unref();
  for (const output of outputs) (output as Socket).unref();
  return control(child, gone, patience, () => text);
}

function control(
  child: ChildProcess,
  gone: Promise<void>,
  patience: number,
  output: () => string,
): ServerProcess {
  const pid = child.pid ?? 0;
  return {
    pid,
    output,
    async end(signal) {
      child.ref();
      child.kill(signal);
      // A frozen process looks at its signals only when it goes on.
      child.kill('SIGCONT');
      const impatience = setTimeout(() => child.kill('SIGKILL'), patience);
      await gone;
      clearTimeout(impatience);
    },
    async freeze() {
      child.kill('SIGSTOP');
      while (child.exitCode === null && child.signalCode === null && !isStopped(pid)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    thaw: async () => void child.kill('SIGCONT'),
  };
}

/** A signal arrives a moment after it was sent. Only Linux tells when; elsewhere it is believed. */
function isStopped(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('T') ?? true;
  } catch {
    return true;
  }
}
