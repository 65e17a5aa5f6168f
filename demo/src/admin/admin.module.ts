import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ActivityLog } from './activity-log.service.js';
import { AdminController } from './admin.controller.js';

@Module({
  imports: [AccountsModule],
  controllers: [AdminController],
  providers: [ActivityLog],
})
export class AdminModule {}
