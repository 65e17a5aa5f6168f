/**
 * Requests without a socket, by fastify's `inject`, printed as JSON. In a process of its own,
 * because what `inject` needs is an ES module that Jest cannot `require` before Node 24.
 */
import { Controller, Get, Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { CurrentSession, CurrentUserId, RequestSession } from '../../../src/index.js';
import { SessionTestingModule, actingAs } from '../../../src/testing/index.js';
import { AccountController } from '../../support/app.js';

@Controller()
class CartController {
  @Get('cart')
  async cart(
    @CurrentUserId() userId: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    return { userId, cart: await session.get('cart') };
  }
}

@Module({
  imports: [SessionTestingModule.forRoot({ guard: 'global' })],
  controllers: [AccountController, CartController],
})
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
  logger: false,
});
await app.init();
const { headers } = await actingAs(app, 'alice', { data: { cart: ['tea'] } });

const ask = async (method: 'GET' | 'POST', url: string, sent = {}): Promise<object> => {
  const answer = await app.inject({ method, url, headers: sent });
  return {
    status: answer.statusCode,
    vary: answer.headers.vary,
    scheme: answer.headers['www-authenticate'],
    setCookie: String(answer.headers['set-cookie'] ?? '').slice(0, 24),
    body: answer.body === '' ? null : (JSON.parse(answer.body) as unknown),
  };
};

const answers = [
  await ask('GET', '/cart'),
  await ask('GET', '/cart', headers),
  await ask('POST', '/logout', headers),
  await ask('GET', '/cart', headers),
];
process.stdout.write(JSON.stringify(answers));
await app.close();
