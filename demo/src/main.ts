/**
 * `npm start`: a web application with logins, devices, time limits and an admin page, on express
 * or (DEMO_ADAPTER=fastify) on fastify.
 */
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { createApp } from './create-app.js';
import { readSettings } from './settings.js';

const { adapter, host, port } = readSettings(process.env);
const app = await createApp(adapter);
app.enableShutdownHooks();
await app.listen(port, host);
// `localhost` and not the address: browsers accept a Secure cookie over plain HTTP there.
const { port: actualPort } = new URL(await app.getUrl());
new Logger('Demo').log(`${adapter} serves the demo on http://localhost:${actualPort}`);
