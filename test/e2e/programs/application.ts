/**
 * Boots any module on either adapter: for tests of what `startApp` decides by itself.
 */
import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import type { Adapter } from '../../support/app.js';

type FastifyOptions = ConstructorParameters<typeof FastifyAdapter>[0];

export interface ApplicationOptions {
  readonly logger?: LoggerService | false;
  /** Options of the adapter itself. */
  readonly fastify?: FastifyOptions;
  /** Changes the module before it is compiled. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Called before the application starts. */
  readonly prepare?: (app: INestApplication) => Promise<void> | void;
}

export interface Application {
  readonly app: INestApplication;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** A second call is in vain. */
  close(): Promise<void>;
}

/** Compiles the module, starts the application and listens on a free loopback port. */
export async function listen(
  adapter: Adapter,
  metadata: ModuleMetadata,
  options: ApplicationOptions = {},
): Promise<Application> {
  const app = await create(adapter, metadata, options);
  await app.listen(0, '127.0.0.1');
  const { port } = new URL(await app.getUrl());
  let closing: Promise<void> | undefined;
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    port: Number(port),
    close: () => (closing ??= app.close()),
  };
}

/** The same without listening: for boot errors, and for `inject`. */
export async function create(
  adapter: Adapter,
  metadata: ModuleMetadata,
  options: ApplicationOptions = {},
): Promise<INestApplication> {
  @Module(metadata)
  class RootModule {}

  const logger = options.logger ?? false;
  const builder = Test.createTestingModule({ imports: [RootModule] });
  // What is logged while the module is compiled counts, too.
  builder.setLogger(logger === false ? SILENT : logger);
  const testing = await (options.override?.(builder) ?? builder).compile();
  const app =
    adapter === 'fastify'
      ? testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(options.fastify), {
          logger,
        })
      : testing.createNestApplication({ logger });
  await options.prepare?.(app);
  return app;
}

const SILENT: LoggerService = {
  log: () => undefined,
  error: () => undefined,
  warn: () => undefined,
};

/** One line that was logged. */
export interface LogLine {
  readonly level: 'log' | 'warn' | 'error' | 'debug' | 'verbose' | 'fatal';
  readonly context: string;
  readonly message: string;
}

/** Keeps what is logged. */
export class LogKeeper implements LoggerService {
  readonly lines: LogLine[] = [];

  log(message: unknown, ...rest: unknown[]): void {
    this.#keep('log', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#keep('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#keep('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#keep('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#keep('verbose', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#keep('fatal', message, rest);
  }

  of(...levels: LogLine['level'][]): LogLine[] {
    return this.lines.filter(({ level }) => levels.includes(level));
  }

  #keep(level: LogLine['level'], message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    this.lines.push({
      level,
      context: typeof context === 'string' ? context : '',
      message: message instanceof Error ? (message.stack ?? message.message) : String(message),
    });
  }
}
