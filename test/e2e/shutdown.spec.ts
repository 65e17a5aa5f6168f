/**
 * P39: after `app.close()` nothing of ours keeps the process alive.
 */
import { describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/app.js';
import { runProgram } from './programs/child.js';

/** What the scheduler prints by itself on a busy machine. */
function withoutCronNotes(text: string): string {
  return text.replace(/^\[Cron\] Missed execution .*\n/gm, '');
}

describe.each(ADAPTERS)('a process with an application on %s', (adapter) => {
  it('ends by itself after app.close(), with connections that were kept alive', async () => {
    const result = await runProgram('serve-and-close', { args: [adapter] });
    expect({ ...result, stderr: withoutCronNotes(result.stderr) }).toEqual({
      code: 0,
      signal: null,
      stdout: 'served 200,200,200,200\nclosed\n',
      stderr: '',
    });
  });

  it('ends by itself although its store hangs', async () => {
    const result = await runProgram('serve-and-close', { args: [adapter, 'hang'] });
    expect(result.stdout).toBe('served 200,200,200,200\nhanging 503\nclosed\n');
    expect([result.code, result.signal]).toEqual([0, null]);
  });
});
