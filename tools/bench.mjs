// `npm run bench -- scale`: builds the library and runs bench/<name>.mjs against it, with the Redis
// server of REDIS_URL, or else one of its own that is started as the tests start theirs.
import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, runNode, tsc } from './lib.mjs';

const [name = '', ...args] = process.argv.slice(2);
const program = join(root, 'bench', `${name}.mjs`);
if (!/^\w+$/.test(name) || !existsSync(program)) {
  console.error('bench: say which one, such as npm run bench -- scale');
  process.exit(1);
}

runNode([join(root, 'tools/build.mjs')]);
const server = process.env.REDIS_URL ? undefined : await startServer();
const env = { ...process.env, REDIS_URL: process.env.REDIS_URL ?? server.url };
const run = spawn(process.execPath, [program, ...args], { cwd: root, env, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => run.kill(signal));
const [code, signal] = await new Promise((done) => {
  run.on('exit', (...how) => done(how));
});
await server?.stop();
runNode([
  join(root, 'node_modules/prettier/bin/prettier.cjs'),
  '--log-level',
  'warn',
  '--write',
  'bench',
]);
process.exit(code ?? 128 + constants.signals[signal]);

async function startServer() {
  const folder = join(root, 'build-bench');
  runNode([tsc, '-p', 'tsconfig.test.json', '--outDir', folder]);
  const { startRedis } = await import(join(folder, 'test/support/servers/redis.js'));
  return startRedis();
}
