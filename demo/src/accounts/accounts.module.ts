import { Module } from '@nestjs/common';
import { AccountsService } from './accounts.service.js';

/** Who may log in: the application's own business, the session kit only ever sees an id. */
@Module({
  providers: [AccountsService],
  exports: [AccountsService],
})
export class AccountsModule {}
