// No server may outlive the tests, not even when their process is killed and can clean up nothing.
// So a small shell beside it keeps the list of what there is. Its input ends when the test process
// does, however that happens, and then it ends and deletes what is still on the list.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';

/** With this begin the names of the folders that may be watched. */
export const FOLDER_PREFIX = 'nsk-redis-';

const SCRIPT = `
trap '' INT TERM HUP
list=' '
while read -r what entry; do
  case $what in
    add) list="$list$entry " ;;
    remove) list="\${list%% $entry *} \${list#* $entry }" ;;
  esac
done
exec 2>/dev/null
for entry in $list; do
  case $entry in ${FOLDER_PREFIX}*) ;; *) kill -KILL "$entry" ;; esac
done
for entry in $list; do
  case $entry in ${FOLDER_PREFIX}*) rm -rf "$0/$entry" ;; esac
done
`;

let watchdog: Socket | undefined;
let watched = 0;

/** Has the process ended with this one; returns what takes it off the list. */
export function watchProcess(pid: number): () => void {
  return watch(`${pid}`);
}

/** Has a folder in the system's folder for temporary files deleted when this process ends. */
export function watchFolder(path: string): () => void {
  return watch(basename(path));
}

function watch(entry: string): () => void {
  const input = (watchdog ??= start());
  watched += 1;
  input.write(`add ${entry}\n`);
  return () => {
    watched -= 1;
    input.write(`remove ${entry}\n`);
    if (watched > 0) return;
    input.end();
    watchdog = undefined;
  };
}

function start(): Socket {
  // A group of its own: who ends the group of the tests must not end the watchdog first.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, tmpdir()], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  const input = shell.stdin as Socket;
  input.unref();
  input.on('error', () => {});
  return input;
}
