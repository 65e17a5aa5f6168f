// Writes bench/README.md and the chart from the results: `node bench/lib/report.mjs` does only that.
import { readFileSync, writeFileSync } from 'node:fs';
import { barChart } from './chart.mjs';

const here = (path) => new URL(path, import.meta.url);

const NAMES = {
  list: 'List the sessions of a user',
  revokeUser: 'Revoke all sessions of a user',
  stats: 'Statistics of all sessions',
  page: 'First page of 100 sessions',
};

export function report({ sessions, machine, fill, memory, oneUser, cleanup }) {
  const [few, many] = [sessions.few, sessions.many].map((count) => count.toLocaleString('en'));
  const rows = Object.entries(oneUser).map(
    ([operation, { few: a, many: b, ratio, manyP99 }]) =>
      `| ${NAMES[operation]} | ${a} ms | ${b} ms | ${ratio} | ${manyP99} ms |`,
  );
  writeFileSync(
    here('../README.md'),
    `# Benchmarks

\`npm run bench -- scale\` fills a Redis server with ${many} sessions of as many users, asks it what a large application asks, and cleans up. It starts a server of its own unless \`REDIS_URL\` names one, takes about 1 GB of its memory, and writes \`results/scale.json\`, the chart and this page. \`BENCH_SESSIONS=100000\` makes it shorter.

The figures below are those of one run on a machine with ${machine.processors} processors, with Redis ${machine.redis} and Node ${machine.node} on it. Ratios mean more than times: what is compared is measured in turn.

![Chart of the figures below](results/scale.svg)

## One user among many

Medians, for a user with five sessions. Two populations lie on one server and are asked in turn.

| | among ${few} | among ${many} | ratio | 99 % of them below |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

Goal: listing, revoking and counting cost the same among ${few} and among ${many}, ± 20 %; the first page comes in less than 50 ms.

A page is read from one bucket at a time: its cost grows with the bucket, which holds one of 256 parts of all sessions.

## Cleanup

All ${cleanup.ended.toLocaleString('en')} sessions expire at once, because the idle timeout was tightened. One instance cleans up, one second in two; another one validates tokens all the time.

| | in the pauses | during the cleanup | ratio |
| --- | --- | --- | --- |
| Validation, median | ${cleanup.medianQuiet} ms | ${cleanup.medianCleaning} ms | ${(cleanup.medianCleaning / cleanup.medianQuiet).toFixed(2)} |
| Validation, 99 % below | ${cleanup.p99Quiet} ms | ${cleanup.p99Cleaning} ms | ${cleanup.ratio} |

Goal: less than twice the usual 99th percentile. The cleanup ended ${cleanup.endedPerSecond.toLocaleString('en')} sessions a second; of ${cleanup.validations.toLocaleString('en')} validations of live sessions, ${cleanup.refused} were refused.

## Memory and logins

${memory.bytesPerSession} bytes of Redis memory for each session, all indexes included: a user id of 36 characters, a device, two fields. ${fill.perSecond.toLocaleString('en')} logins a second through one instance.
`,
  );
  const bars = Object.entries(oneUser).map(([operation, values]) => ({
    name: NAMES[operation],
    unit: 'ms',
    bars: [
      { label: `among ${few}`, value: values.few },
      { label: `among ${many}`, value: values.many },
    ],
  }));
  const validation = {
    name: 'Validation, 99 % below',
    unit: 'ms',
    bars: [
      { label: 'in the pauses', value: cleanup.p99Quiet },
      { label: 'during the cleanup', value: cleanup.p99Cleaning },
    ],
  };
  const chart = barChart(`What ${many} sessions cost`, [...bars, validation]);
  writeFileSync(here('../results/scale.svg'), chart);
}

if (process.argv[1] === here('').pathname) {
  report(JSON.parse(readFileSync(here('../results/scale.json'), 'utf8')));
}
