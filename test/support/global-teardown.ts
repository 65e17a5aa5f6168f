import { summarize } from './servers/report.js';

/** Says at the end of a run which servers its tests used. */
export default function tellServers(): void {
  const line = summarize();
  if (line) process.stdout.write(`${line}\n`);
}
