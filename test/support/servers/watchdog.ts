// No server may outlive the tests, not even when their process is killed and can clean up nothing.
// So a small shell beside it holds the list of what runs. Its input ends when the test process
// does, however that happens, and then it ends what is still on the list.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

const SCRIPT = `
trap '' INT TERM HUP
list=' '
while read -r what pid; do
  case $what in
    add) list="$list$pid " ;;
    remove) list="\${list%% $pid *} \${list#* $pid }" ;;
  esac
done
for pid in $list; do kill -KILL "$pid"; done 2>/dev/null
`;

let watchdog: Socket | undefined;
let watched = 0;

/** Has the process ended with this one; returns what takes it off the list. */
export function watch(pid: number): () => void {
  const input = (watchdog ??= start());
  watched += 1;
  input.write(`add ${pid}\n`);
  return () => {
    watched -= 1;
    input.write(`remove ${pid}\n`);
    if (watched > 0) return;
    input.end();
    watchdog = undefined;
  };
}

function start(): Socket {
  // A group of its own: who ends the group of the tests must not end the watchdog first.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  const input = shell.stdin as Socket;
  input.unref();
  input.on('error', () => {});
  return input;
}
