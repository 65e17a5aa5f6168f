/**
 * The smallest application there is: `SessionModule.forRoot()` and nothing else. The first argument
 * may hold options as JSON. Says `booted` when it is up, and ends.
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SessionModule, type SessionModuleOptions } from '../../../src/index.js';

const options = JSON.parse(process.argv[2] ?? '{}') as SessionModuleOptions;

@Module({ imports: [SessionModule.forRoot(options)] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'] });
await app.init();
process.stdout.write('booted\n');
await app.close();
