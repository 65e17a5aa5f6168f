// A Chromium for the tests that need a real browser. It comes from the machine, else from the npm
// package @sparticuz/chromium, which ships the binary and the libraries that servers often lack.
// A test never skips because there is none: launchBrowser() fails and says what to do.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';

interface Executable {
  readonly path: string;
  readonly env?: Record<string, string>;
}

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts a headless Chromium; the caller closes it. `CHROMIUM_PATH` names one to use. */
export async function launchBrowser(): Promise<Browser> {
  const { path, env } = await findExecutable();
  return chromium.launch({
    executablePath: path,
    args: ARGS,
    env: { ...definedEnv(), ...env },
  });
}

async function findExecutable(): Promise<Executable> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (isExecutable(named)) return { path: named };
    throw new Error(`CHROMIUM_PATH is "${named}", which is not an executable file`);
  }
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const installed = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const path = installed.find(isExecutable);
  if (path) return { path };
  try {
    return await unpackShippedChromium();
  } catch (cause) {
    throw new Error(
      'no browser for the tests: install Chromium or set CHROMIUM_PATH ' +
        '(the one that @sparticuz/chromium ships could not be used)',
      { cause },
    );
  }
}

/**
 * The package's own `executablePath()` unpacks to fixed names in the temporary folder, where it
 * trusts whatever it finds and two test processes meet. This one unpacks into node_modules, and
 * the folder gets its final name only when it is complete.
 */
async function unpackShippedChromium(): Promise<Executable> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`@sparticuz/chromium has no binary for ${process.platform} ${process.arch}`);
  }
  // Resolves to <package>/build/cjs/index.cjs; the package does not export its package.json.
  const require = createRequire(join(process.cwd(), 'package.json'));
  const home = join(require.resolve('@sparticuz/chromium'), '../../..');
  const { version } = require(join(home, 'package.json')) as { version: string };
  const target = join(process.cwd(), `node_modules/.cache/chromium-${version}`);
  if (!existsSync(target)) {
    await mkdir(join(target, '..'), { recursive: true });
    const draft = await mkdtemp(`${target}-`);
    await unpack(join(home, 'bin/chromium.br'), join(draft, 'chromium'));
    for (const name of ['al2023', 'fonts']) {
      const archive = join(draft, `${name}.tar`);
      await unpack(join(home, `bin/${name}.tar.br`), archive);
      execFileSync('tar', ['-xf', archive, '-C', draft]);
      await rm(archive);
    }
    // The shipped file names folders of another system.
    const fonts = `<fontconfig><dir>${target}/fonts</dir><dir>/usr/share/fonts</dir></fontconfig>`;
    await writeFile(join(draft, 'fonts.conf'), fonts);
    await rename(draft, target).catch(async (error: unknown) => {
      await rm(draft, { recursive: true });
      // Another process was faster; its copy is as good.
      if (!existsSync(target)) throw error;
    });
  }
  return {
    path: join(target, 'chromium'),
    env: {
      LD_LIBRARY_PATH: [join(target, 'lib'), process.env['LD_LIBRARY_PATH']]
        .filter(Boolean)
        .join(delimiter),
      ...(existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: target }),
    },
  };
}

async function unpack(from: string, to: string): Promise<void> {
  const out = createWriteStream(to, { mode: 0o755 });
  await pipeline(createReadStream(from), createBrotliDecompress({ chunkSize: 2 ** 20 }), out);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}
