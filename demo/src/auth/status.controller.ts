import { Controller, Get } from '@nestjs/common';
import {
  CurrentSession,
  InjectSessionConfig,
  Public,
  type RequestSession,
  type SessionConfig,
  SkipTouch,
  type TimeLeft,
} from 'nestjs-session-kit';

/** What the page has to know to count down. */
export type SessionStatus =
  | { readonly state: 'none' | 'ended' | 'ambiguous' }
  | {
      readonly state: 'active';
      /** Absent in an anonymous session. */
      readonly userId: string | undefined;
      /** Seconds. */
      readonly timeLeft: TimeLeft;
      /** The whole of it; seconds. */
      readonly limits: TimeLeft;
      readonly limitClass: string;
    };

@Controller('session')
export class StatusController {
  constructor(@InjectSessionConfig() private readonly config: SessionConfig) {}

  /**
   * The page asks every few seconds. That must not keep the session alive, hence `@SkipTouch()`,
   * and needs no login, hence `@Public()`.
   */
  @Public()
  @SkipTouch()
  @Get('status')
  async status(@CurrentSession() current: RequestSession): Promise<SessionStatus> {
    const verdict = await current.resolve();
    if (verdict.status !== 'active') return { state: verdict.status };
    const { userId, timeLeft, limitClass } = verdict.session;
    return { state: 'active', userId, timeLeft, limits: this.#limitsOf(limitClass), limitClass };
  }

  #limitsOf(limitClass: string): TimeLeft {
    const { limits } = this.config.settings;
    const { idle, absolute } = limits[limitClass] ?? limits.default;
    return { idle: idle / 1000, absolute: absolute / 1000 };
  }
}
