import { type DynamicModule, Module } from '@nestjs/common';
import { TRAFFIC_PER_MINUTE, TrafficService } from './traffic.service.js';

/** Simulated users, for charts with something to show. */
@Module({})
export class TrafficModule {
  static perMinute(logins: number): DynamicModule {
    const rate = { provide: TRAFFIC_PER_MINUTE, useValue: logins };
    return { module: TrafficModule, providers: logins > 0 ? [rate, TrafficService] : [] };
  }
}
