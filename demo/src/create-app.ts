/**
 * The same application on both adapters. Nothing else in the demo knows which one it runs on.
 */
import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import type { AdapterName } from './settings.js';
import { securityHeaders } from './web/security-headers.js';

const OPTIONS: NestApplicationOptions = {
  // Only JSON is read (below): a form on a foreign site can send everything but that.
  bodyParser: false,
  // Without the report of each cleanup.
  logger: ['fatal', 'error', 'warn', 'log'],
};
const MAX_BODY_BYTES = 16 * 1024;

export async function createApp(adapter: AdapterName): Promise<INestApplication> {
  const app = adapter === 'fastify' ? await onFastify() : await onExpress();
  app.use(securityHeaders);
  return app;
}

async function onExpress(): Promise<INestApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, OPTIONS);
  app.useBodyParser('json', { limit: MAX_BODY_BYTES });
  app.disable('x-powered-by');
  return app;
}

/** Fastify reads JSON by itself. */
function onFastify(): Promise<INestApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: MAX_BODY_BYTES });
  return NestFactory.create<NestFastifyApplication>(AppModule, adapter, OPTIONS);
}
