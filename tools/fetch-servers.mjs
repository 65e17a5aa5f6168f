// Brings servers for the tests onto a Debian or Ubuntu machine that has none: unpacks packages of
// the distribution into a cache folder. Needs no root and installs nothing.
//
//   node tools/fetch-servers.mjs redis valkey    prints a line of JSON for each
//   node tools/fetch-servers.mjs --cache DIR …   into another folder than node_modules/.cache
//
// apt runs with the sources, keys and proxies of this machine, but with package lists of its own:
// the machine's may be missing or old, and only root may renew them.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SERVERS = {
  redis: { programs: ['redis-server', 'redis-cli'], packages: ['redis-server', 'redis-tools'] },
  // Debian 12 has it in its backports only.
  valkey: {
    programs: ['valkey-server', 'valkey-cli'],
    packages: ['valkey-server', 'valkey-tools'],
    backports: true,
  },
  // From a newer release than the machine's, so with all its libraries, the C library included.
  redis8: {
    programs: ['redis-server', 'redis-cli'],
    packages: ['redis-server', 'redis-tools'],
    suite: 'trixie',
  },
};

process.on('uncaughtException', (error) => {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
});

const self = fileURLToPath(import.meta.url);
const { names, cache: chosen, locked } = readArguments(process.argv.slice(2));
for (const tool of ['apt-get', 'dpkg-deb', 'flock']) {
  if (spawnSync(tool, ['--version']).error) fail(`needs Debian or Ubuntu: there is no ${tool}`);
}
const system = readOsRelease();
const cache = chosen ? resolve(chosen) : findCache();
const home = homeIn(cache);
fs.mkdirSync(home, { recursive: true });

if (locked || names.every((name) => fs.existsSync(join(home, name)))) {
  for (const name of names) console.log(JSON.stringify(describe(name)));
} else {
  // The kernel gives the lock up when its holder dies: nothing to clean up, nothing to judge stale.
  const args = [join(home, 'lock'), process.execPath, self, '--locked', '--cache', cache, ...names];
  process.exitCode = spawnSync('flock', args, { stdio: 'inherit' }).status ?? 1;
}

function describe(name) {
  const folder = join(home, name);
  if (!fs.existsSync(folder)) install(name, folder);
  const [path, cli] = SERVERS[name].programs.map((program) => join(folder, program));
  return { name, path, cli };
}

/** The folder gets its final name when it is complete and the server in it has answered. */
function install(name, folder) {
  const { packages, programs, suite, backports } = SERVERS[name];
  const foreign = suite !== undefined && suite !== system.VERSION_CODENAME;
  const draft = fs.mkdtempSync(`${folder}-`);
  console.error(`fetch-servers: fetching ${packages.join(' and ')} with apt`);
  try {
    const lists = join(home, 'lists', foreign ? suite : 'own');
    const apt = prepareApt(join(draft, 'apt'), lists, foreign ? suite : '', backports);
    // A source that does not answer need not be the one that has the package.
    const updated = apt('update');
    const loaded = apt('install', '-y', '--download-only', '--reinstall', ...packages);
    if (!loaded.ok) fail(`no package ${packages[0]} to be had\n${updated.output}${loaded.output}`);
    for (const file of fs.readdirSync(join(draft, 'apt/archives'))) {
      if (!file.endsWith('.deb')) continue;
      execFileSync('dpkg-deb', ['-x', join(draft, 'apt/archives', file), join(draft, 'root')]);
    }
    for (const waste of ['apt', 'root/usr/share']) {
      fs.rmSync(join(draft, waste), { recursive: true, force: true });
    }
    for (const program of programs) writeStarter(draft, program, foreign);
    execFileSync(join(draft, programs[0]), ['--version']);
    fs.chmodSync(draft, 0o755);
    fs.renameSync(draft, folder);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Returns a function that runs apt-get on folders of ours. */
function prepareApt(folder, lists, suite, backports) {
  const parts = join(folder, 'parts');
  for (const path of [join(lists, 'partial'), join(folder, 'archives/partial'), parts]) {
    fs.mkdirSync(path, { recursive: true });
  }
  const config = join(folder, 'apt.conf');
  const lines = [
    `Dir::State::lists "${lists}";`,
    `Dir::Cache "${folder}";`,
    'Debug::NoLocking "1";',
    // apt's own user could not reach our folders.
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    // These change the machine.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
  ];
  fs.writeFileSync(config, `${lines.join('\n')}\n`);
  const apt = (...args) => {
    const { status, stdout, stderr } = spawnSync('apt-get', ['-q', '-c', config, ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
    return { ok: status === 0, stdout, output: stdout + stderr };
  };

  const extra = suite || (backports && `${system.VERSION_CODENAME}-backports`);
  if (!extra || system.ID !== 'debian') {
    if (suite) fail(`${suite} can only be had on Debian`);
    return apt;
  }
  const format = ['--format', '$(RELEASE) $(COMPONENT) $(REPO_URI)'];
  const known = apt('indextargets', '--no-release-info', ...format, 'Created-By: Packages');
  const sources = known.stdout.split('\n').map((line) => line.split(' '));
  if (!suite && sources.some(([release]) => release === extra)) return apt;
  const [, , uri] =
    sources.find(([release, part]) => release === system.VERSION_CODENAME && part === 'main') ?? [];
  if (!uri) fail(`apt has no source for ${system.VERSION_CODENAME}\n${known.output}`);
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = fs.existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  fs.writeFileSync(join(parts, 'nsk-extra.list'), `deb ${signed}${uri} ${extra} main\n`);
  lines.push(`Dir::Etc::sourceparts "${parts}";`);
  if (suite) {
    // Only this suite, as if nothing were installed.
    lines.push('Dir::Etc::sourcelist "/dev/null";', 'APT::Default-Release "";');
    lines.push('Dir::State::status "/dev/null";');
  } else {
    linkSources(parts);
  }
  fs.writeFileSync(config, `${lines.join('\n')}\n`);
  return apt;
}

function linkSources(parts) {
  const shell = execFileSync('apt-config', ['shell', 'PARTS', 'Dir::Etc::sourceparts/d']);
  const [, folder] = /^PARTS='(.*)'$/m.exec(String(shell)) ?? [];
  if (!folder || !fs.existsSync(folder)) return;
  for (const file of fs.readdirSync(folder)) fs.symlinkSync(join(folder, file), join(parts, file));
}

/** A small script, so that a program is one path that can be started as it is. */
function writeStarter(folder, program, foreign) {
  const root = join(folder, 'root');
  const libraries = ['lib', 'usr/lib'].flatMap((path) =>
    (fs.existsSync(join(root, path)) ? fs.readdirSync(join(root, path)) : [])
      .filter((name) => name.includes('-linux-gnu'))
      .map((name) => join(path, name)),
  );
  const search = libraries.map((path) => `$home/root/${path}`).join(':');
  const target = `"$home/root/usr/bin/${program}" "$@"`;
  let command = `LD_LIBRARY_PATH="${search}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec ${target}`;
  if (foreign) {
    const [loader] = libraries.flatMap((path) =>
      fs
        .readdirSync(join(root, path))
        .filter((name) => /^ld-linux.*\.so/.test(name))
        .map((name) => `$home/root/${path}/${name}`),
    );
    if (!loader) fail('the packages hold no program loader');
    command = `exec "${loader}" --library-path "${search}" ${target}`;
  }
  const script = `#!/bin/sh\nhome=\${0%/*}\n${command}\n`;
  fs.writeFileSync(join(folder, program), script, { mode: 0o755 });
}

/** Programs fit one system: a cache may be shared with containers that hold others. */
function homeIn(folder) {
  return join(folder, 'servers', `${system.ID}${system.VERSION_ID ?? ''}-${process.arch}`);
}

/** node_modules/.cache, or the user's own cache where the project belongs to somebody else. */
function findCache() {
  const modules = join(dirname(self), '../node_modules');
  const personal = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const candidates = [join(modules, '.cache'), join(personal, 'nestjs-session-kit')];
  const usable = candidates.find((folder) => {
    const place = homeIn(folder);
    if (names.every((name) => fs.existsSync(join(place, name)))) return true;
    try {
      fs.mkdirSync(place, { recursive: true });
      fs.accessSync(place, fs.constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
  return usable ?? fail(`neither ${candidates.join(' nor ')} can be written to`);
}

function readOsRelease() {
  const lines = fs.readFileSync('/etc/os-release', 'utf8').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, key, value] = /^(\w+)="?([^"]*)"?$/.exec(line) ?? [];
      return key ? [[key, value]] : [];
    }),
  );
}

function readArguments(args) {
  const found = { names: [], cache: '', locked: false };
  while (args.length > 0) {
    const arg = args.shift();
    if (arg === '--cache') found.cache = args.shift() ?? fail('--cache needs a folder');
    else if (arg === '--locked') found.locked = true;
    else if (Object.hasOwn(SERVERS, arg)) found.names.push(arg);
    else fail(`unknown: ${arg}; known are ${Object.keys(SERVERS).join(', ')}`);
  }
  if (found.names.length === 0) fail(`which? ${Object.keys(SERVERS).join(', ')}`);
  return found;
}

function fail(message) {
  // Not process.exit(): what was begun has to be cleaned up on the way out.
  throw Object.assign(new Error(`fetch-servers: ${message}`), { stack: undefined });
}
