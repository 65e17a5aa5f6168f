import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type EndReason, SessionService } from 'nestjs-session-kit';
import { AccountsService } from '../accounts/accounts.service.js';

/** One line of the list "latest events". */
export interface Activity {
  readonly eventId: string;
  readonly at: number;
  readonly what: 'login' | 'login-failed' | EndReason;
  readonly userName: string | undefined;
}

const KEPT = 30;

/** Listens to the library's events and keeps the latest. An audit log would begin like this. */
@Injectable()
export class ActivityLog implements OnModuleInit, OnModuleDestroy {
  readonly #latest: Activity[] = [];
  #unsubscribe: readonly (() => void)[] = [];

  constructor(
    private readonly sessions: SessionService,
    private readonly accounts: AccountsService,
  ) {}

  /** Newest first. */
  get latest(): readonly Activity[] {
    return this.#latest;
  }

  onModuleInit(): void {
    this.#unsubscribe = [
      this.sessions.on('session.created', (event) => this.#add(event, 'login')),
      this.sessions.on('session.ended', (event) => this.#add(event, event.reason)),
      this.sessions.on('session.login-failed', (event) => this.#add(event, 'login-failed')),
    ];
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #add(
    { eventId, at, userId }: { eventId: string; at: number; userId?: string },
    what: Activity['what'],
  ): void {
    const userName = this.accounts.byId(userId)?.name ?? userId;
    this.#latest.unshift({ eventId, at, what, userName });
    this.#latest.length = Math.min(this.#latest.length, KEPT);
  }
}
