import { createHash } from 'node:crypto';
import type { StoreSettings } from '../../core/store.js';
import { encodeLimits } from './redis.keys.js';

/** The settings as arguments of the scripts. */
export class RedisRules {
  readonly limits: string;
  /** Tells other limits from these; buckets remember under which ones they were ordered. */
  readonly fingerprint: string;
  readonly touchInterval: number;
  readonly margin: number;
  readonly grace: number;
  readonly maxForks: number;
  /** What `resolve` needs in rare cases only, as one argument. */
  readonly rarelyNeeded: string;
  /** Timeouts of the default class. */
  readonly idle: number;
  readonly absolute: number;
  readonly maxTombstones: number;
  readonly maxSessionBytes: number;
  readonly maxFields: number;
  readonly lease: number;
  /** How long one call of the sweep goes on, so that it answers well before its deadline. */
  readonly slice: number;

  constructor(settings: StoreSettings, lease: number) {
    this.limits = encodeLimits(settings.limits);
    this.fingerprint = createHash('sha256').update(this.limits).digest('base64url').slice(0, 8);
    this.touchInterval = settings.touchInterval;
    this.margin = settings.margin;
    this.grace = settings.rotation.grace;
    this.maxForks = settings.rotation.maxForks;
    this.maxTombstones = settings.maxTombstones;
    this.idle = settings.limits.default.idle;
    this.absolute = settings.limits.default.absolute;
    const { grace, maxForks, onReuse } = settings.rotation;
    this.rarelyNeeded = [grace, maxForks, onReuse, this.maxTombstones].join(' ');
    this.maxSessionBytes = settings.maxSessionBytes;
    this.maxFields = settings.maxFields;
    this.lease = lease;
    this.slice = settings.deadline / 4;
  }
}
