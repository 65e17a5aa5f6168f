import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { SessionModule } from 'nestjs-session-kit';
import { AccountsModule } from './accounts/accounts.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AuthController } from './auth/auth.controller.js';
import { StatusController } from './auth/status.controller.js';
import { BasketController } from './data/basket.controller.js';
import { NoteController } from './data/note.controller.js';
import { DevicesController } from './devices/devices.controller.js';
import { HealthModule } from './health/health.module.js';
import { sessionOptions } from './session.options.js';
import { readSettings } from './settings.js';
import { TrafficModule } from './traffic/traffic.module.js';
import { WebModule } from './web/web.module.js';

const settings = readSettings(process.env);

@Module({
  imports: [
    // Runs the cleanup of the session module.
    ScheduleModule.forRoot(),
    SessionModule.forRoot(sessionOptions(settings)),
    AccountsModule,
    AdminModule,
    HealthModule,
    TrafficModule.perMinute(settings.traffic),
    WebModule,
  ],
  controllers: [
    AuthController,
    StatusController,
    DevicesController,
    BasketController,
    NoteController,
  ],
})
export class AppModule {}
