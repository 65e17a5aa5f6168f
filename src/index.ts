/**
 * nestjs-session-kit: sessions for NestJS that are safe by default, visible and revocable.
 */
export { SessionModule } from './nest/session.module.js';
export {
  InjectSessionConfig,
  type SessionConfig,
  type SessionModuleAsyncOptions,
  type SessionModuleExtras,
  type SessionModuleOptions,
  type SessionOptionsFactory,
} from './nest/session.module-definition.js';
export { SessionGuard } from './nest/session.guard.js';
export {
  AllowPending,
  CurrentSession,
  CurrentUserId,
  EndWithSession,
  type ProofOptions,
  Public,
  RequireFresh,
  SkipTouch,
  StepUp,
  type StepUpOptions,
} from './nest/session.decorators.js';
export { SessionRequests } from './nest/session-requests.js';
export { SessionHttpException, type StepUpChallenge } from './nest/session.exceptions.js';
export { type SessionHealthOptions, SessionHealthIndicator } from './nest/session.health.js';
export { CLEANUP_JOB, type CleanupState, SessionSweepTask } from './nest/session-sweep.task.js';

export {
  type DeviceSession,
  type LoginOptions,
  type LoginResult,
  type RequestVerdict,
  RequestSession,
} from './http/request-session.js';
export type { Carrier } from './http/carrier.js';
export { localPath } from './http/return-to.js';

export { SessionService } from './core/service.js';
export type {
  CreatedSession,
  ElevateOptions,
  ImpersonateOptions,
  RevokeUserOptions,
  SessionPage,
  SessionPageEntry,
  SessionVerdict,
  UserSessions,
} from './core/results.js';
export type {
  RevokeWhereOptions,
  RevokeWhereReport,
  SessionExplanation,
  SessionFilter,
  UserExport,
} from './core/administration.js';
export type { LoginFacts } from './core/login-facts.js';
export type { CreateOptions, LoginTicket } from './core/login-options.js';
export type {
  AuthenticationMethod,
  FreshnessRule,
  SessionActor,
  SessionClaims,
} from './core/claims.js';
export { type SessionInfo, type TimeLeft, Session } from './core/session.js';
export type { SessionData, SessionField, SessionFieldTypes } from './core/fields.js';
export type {
  SessionBinary,
  SessionItem,
  SessionValue,
  Storable,
  StorableItem,
} from './core/codec.js';
export type { CreationRate, DurationSummary, SessionStats, UserSummary } from './core/stats.js';
export {
  type SessionEvent,
  type SessionEventListener,
  type SessionEventName,
  type SessionEvents,
  type SweepReport,
  SESSION_EVENT_NAMES,
} from './core/events.js';
export {
  type EndReason,
  type EndedSession,
  type OwnLimits,
  type SessionDevice,
  type SessionId,
  type SessionRecord,
  type SessionTombstone,
  END_REASONS,
} from './core/record.js';
export type {
  CleanupOptions,
  ConcurrencyOptions,
  CookieOptions,
  CrossSiteOptions,
  DataOptions,
  LimitOptions,
  PrivacyOptions,
  SessionOptions,
  SignalOptions,
  RotationOptions,
  TimeoutOptions,
} from './core/options.js';
export type { AddressPrivacy, UserAgentPrivacy } from './core/privacy.js';
export type {
  RiskAnswer,
  RiskHook,
  SessionSignal,
  SignalKind,
  SignalMode,
} from './core/signals.js';
export { type AuditFinding, auditConfig } from './core/config-audit.js';
export type { Duration } from './core/duration.js';
export type { AtLimit } from './core/policy.js';
export { SESSION_PRESETS, type SessionPreset } from './core/presets.js';
export type { UserId } from './core/user-id.js';
export { type SecretToken, SESSION_TOKEN_PATTERN } from './core/token.js';
export {
  type LimitChoice,
  type SessionErrorCode,
  SESSION_ERROR_CODES,
  SessionConfigError,
  SessionCrossSiteError,
  SessionError,
  SessionLimitError,
  SessionStoreError,
  SessionValueError,
} from './core/errors.js';

export { type MemoryStoreOptions, memoryStore } from './stores/memory/memory.store.js';
export type { SessionBus, SessionBusListener, SessionNotice } from './core/bus.js';
export type * from './core/store.js';
