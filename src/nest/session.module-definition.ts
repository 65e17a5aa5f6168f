/**
 * The dynamic module's methods, its injection tokens and the types of its options.
 */
import { ConfigurableModuleBuilder, Inject } from '@nestjs/common';
import type { SessionConfig } from '../core/config.js';
import type { SessionOptions } from '../core/options.js';

/** What can be said of the module itself, next to the session options. @public */
export interface SessionModuleExtras {
  /** Whether other modules can inject its providers without importing it. @defaultValue `true` */
  readonly isGlobal?: boolean;
}

const builder = new ConfigurableModuleBuilder<SessionOptions>({ moduleName: 'Session' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionOptions')
  .setExtras<SessionModuleExtras>({ isGlobal: true }, (definition, { isGlobal = true }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();

/** The builder's class; composed, not extended, so that no unnamed type becomes public. */
export const ModuleBase = builder.ConfigurableModuleClass;
export const OPTIONS_TOKEN = builder.MODULE_OPTIONS_TOKEN;

/** Options of `SessionModule.forRoot()`. @public */
export type SessionModuleOptions = SessionOptions & SessionModuleExtras;

/** Options of `SessionModule.forRootAsync()`: `useFactory` with `inject`, `useClass`, `useExisting`. @public */
export type SessionModuleAsyncOptions = typeof builder.ASYNC_OPTIONS_TYPE;

/** What a class given as `useClass` or `useExisting` implements. @public */
export interface SessionOptionsFactory {
  createSessionOptions(): SessionOptions | Promise<SessionOptions>;
}

export const CONFIG_TOKEN = Symbol.for('nestjs-session-kit.config');
export const STORE_TOKEN = Symbol.for('nestjs-session-kit.store');

/** Injects the resolved, frozen configuration. @public */
export const InjectSessionConfig = (): ParameterDecorator => Inject(CONFIG_TOKEN);

export type { SessionConfig };
