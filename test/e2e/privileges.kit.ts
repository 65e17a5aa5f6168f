/**
 * What the suites of privileges share: how long things last, and routes that demand a proof.
 */
import { Controller, Get, Param, Post, type Type, UseGuards } from '@nestjs/common';
import { expect } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  RequireFresh,
  SessionGuard,
  StepUp,
} from '../../src/index.js';
import type { Client } from '../support/client.js';

export interface Spans {
  /** How fresh a proof of identity has to be. */
  readonly fresh: number;
  /** How long a confirmation waits to be used. */
  readonly confirmation: number;
  /** How long somebody can act in another user's name. */
  readonly impersonation: number;
  readonly grace: number;
}

/** Routes beside those of `PrivilegesController`. */
export function demandingWith(spans: Spans): Type {
  @Controller('p')
  @UseGuards(SessionGuard)
  class DemandingController {
    @AllowPending()
    @Get('whose')
    whose(@CurrentUserId() userId: string): object {
      return { userId };
    }

    @Public()
    @Post('open/:what')
    async open(
      @Param('what') what: 'devices' | 'revokeAll' | 'credentialChanged',
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session[what]();
    }

    @RequireFresh(`${spans.fresh}ms`, { methods: ['otp'], level: 2 })
    @Post('transfer')
    transfer(): object {
      return { done: true };
    }

    @StepUp({
      action: (request: { params: { id: string } }) => `delete:${request.params.id}`,
      maxAge: `${spans.confirmation}ms`,
    })
    @Post('delete/:id')
    remove(@Param('id') id: string): object {
      return { removed: id };
    }

    @Post('password-changed')
    async changed(@CurrentSession() session: RequestSession): Promise<object> {
      return { ended: await session.credentialChanged() };
    }

    @Get('claims')
    async claims(@CurrentSession() session: RequestSession): Promise<object> {
      const verdict = await session.resolve();
      return verdict.status === 'active' ? verdict.session.claims : {};
    }
  }
  return DemandingController;
}

/** Logs in with both factors. */
export const complete = async (client: Client, user: string): Promise<void> => {
  await client.post('/p/password', { user });
  expect((await client.post('/p/otp')).status).toBe(204);
};
