/**
 * Runs one of the programs beside this file in a process of its own.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself. */
  readonly nodeArgs?: readonly string[];
  /** Longest life; a child that lives on is killed, and `signal` says so. */
  readonly bound?: number;
}

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `<name>.js` to its end. */
export async function runProgram(name: string, options: ChildOptions = {}): Promise<ChildResult> {
  const { args = [], env = {}, nodeArgs = [], bound = 15_000 } = options;
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...inherited } = process.env;
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: bound,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
