// One server process in a container, where commands are all that there is to control it.
import { until } from '../until.js';
import type { ServerProcess } from './machine.js';

export type Run = (command: string[]) => Promise<{ output: string; exitCode: number }>;

const START =
  'cd "$0" && rm -f pid log && touch log && ' +
  'exec "$@" --daemonize yes --pidfile "$0/pid" --logfile "$0/log"';
// Nobody may ever collect an ended process in a container: it stays as a zombie.
const IS_ALIVE = 'test -r "/proc/$0/stat" && ! grep -q ") Z " "/proc/$0/stat"';

export async function launchWith(
  run: Run,
  command: readonly string[],
  folder: string,
  ready: RegExp,
): Promise<ServerProcess> {
  const started = await run(['sh', '-c', START, folder, ...command]);
  if (started.exitCode !== 0) throw new Error(`${command[0]} did not start\n${started.output}`);
  let text = '';
  let pid = '';
  // The shell's own: small images have no program of that name.
  const signal = (name: NodeJS.Signals) =>
    run(['sh', '-c', `kill -${name.replace('SIG', '')} "$0"`, pid]);
  const isAlive = async () => (await run(['sh', '-c', IS_ALIVE, pid])).exitCode === 0;
  const isReady = async () => {
    pid ||= (await run(['sh', '-c', 'cat "$0/pid" 2>/dev/null', folder])).output.trim();
    const alive = pid === '' || (await isAlive());
    text = (await run(['cat', `${folder}/log`])).output;
    if (!alive || /aborting/.test(text)) throw new Error(`${command[0]} ended\n${text}`);
    return pid !== '' && ready.test(text);
  };
  await until(isReady, Boolean, 15_000);
  return {
    pid: Number(pid),
    output: () => text,
    async end(name) {
      await signal(name);
      // A frozen process looks at its signals only when it goes on.
      await signal('SIGCONT');
      try {
        await until(isAlive, (alive) => !alive, 1000);
      } catch {
        await signal('SIGKILL');
        await until(isAlive, (alive) => !alive);
      }
    },
    freeze: async () => void (await signal('SIGSTOP')),
    thaw: async () => void (await signal('SIGCONT')),
  };
}
