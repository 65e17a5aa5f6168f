// Another instance of the application, under tighter timeouts: every session of the default class is
// past its deadline at once. Cleans up for as long as it is told.
import { startApp } from './app.mjs';

const { sessions, close } = await startApp({
  prefix: process.argv[2],
  timeouts: { idle: '1s', touchInterval: '200ms' },
});
process.on('message', ({ batch, budget }) => {
  void sessions.sweep({ batch, budget }).then((report) => process.send(report));
});
process.on('disconnect', () => void close());
process.send('ready');
