import {
  Inject,
  Injectable,
  Logger,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { type SessionDevice, type SessionId, SessionService } from 'nestjs-session-kit';

export const TRAFFIC_PER_MINUTE = Symbol('demo.traffic-per-minute');

const USERS = 40;
const MEAN_VISIT = 150_000;

const DEVICES: readonly SessionDevice[] = [
  { client: 'Firefox 145', platform: 'Windows' },
  { client: 'Chrome 143', platform: 'Android' },
  { client: 'Safari 26', platform: 'iOS' },
  { client: 'Safari 26', platform: 'macOS' },
  { client: 'Edge 143', platform: 'Windows' },
];

/** Users who log in now and then, sometimes with a wrong password, and who leave after a while. */
@Injectable()
export class TrafficService implements OnModuleInit, OnModuleDestroy {
  readonly #logger = new Logger('Traffic');
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly sessions: SessionService,
    @Inject(TRAFFIC_PER_MINUTE) private readonly perMinute: number,
  ) {}

  onModuleInit(): void {
    this.#next();
  }

  onModuleDestroy(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #next(): void {
    this.#after(randomWait(60_000 / this.perMinute), async () => {
      this.#next();
      await this.#visit();
    });
  }

  async #visit(): Promise<void> {
    const userId = `visitor-${1 + Math.floor(Math.random() * USERS)}`;
    if (Math.random() < 0.12) return this.sessions.recordLoginFailure(userId);
    const { session } = await this.sessions.create(userId, { device: randomDevice() });
    this.#after(randomWait(MEAN_VISIT), () => this.#leave(session.id, userId));
  }

  /** Three in four log out; of the others, the timeouts take care. */
  async #leave(id: SessionId, userId: string): Promise<void> {
    const choice = Math.random();
    if (choice < 0.75) await this.sessions.revoke(id, { userId, reason: 'logout' });
    else if (choice < 0.85) await this.sessions.revokeUser(userId);
  }

  #after(wait: number, action: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action().catch((error: unknown) => this.#logger.error(error));
    }, wait);
    this.#timers.add(timer);
  }
}

/** Random events of a given mean distance are exponentially distributed. */
function randomWait(mean: number): number {
  return -Math.log(1 - Math.random()) * mean;
}

function randomDevice(): SessionDevice {
  const device = DEVICES[Math.floor(Math.random() * DEVICES.length)];
  return { ...device, address: `203.0.113.${1 + Math.floor(Math.random() * 254)}` };
}
