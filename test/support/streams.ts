/**
 * Routes whose answers take long, and a client that holds them open.
 */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, get } from 'node:http';
import { Controller, Get, HttpCode, Param, Post, Res, Sse, UseGuards } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';
import {
  CurrentSession,
  EndWithSession,
  Public,
  type RequestSession,
  SessionGuard,
} from '../../src/index.js';
import type { Client } from './client.js';
import { until } from './until.js';

interface Message {
  readonly data: string;
}

interface AnyResponse {
  readonly raw?: AnyResponse;
  write(text: string): unknown;
}

@Controller()
@UseGuards(SessionGuard)
export class StreamController {
  /** Handlers that were not torn down yet. */
  static readonly live = new Set<Subscriber<Message>>();

  static say(data: string): void {
    for (const subscriber of this.live) subscriber.next({ data });
  }

  static hasLive(count: number): Promise<unknown> {
    return until(
      async () => this.live.size,
      (live) => live === count,
    );
  }

  @Sse('events')
  events(@CurrentSession() session: RequestSession): Observable<Message> {
    return begin(session.id ?? '');
  }

  @Public()
  @Sse('public-events')
  publicEvents(): Observable<Message> {
    return begin('');
  }

  @EndWithSession()
  @Get('download')
  download(@CurrentSession() session: RequestSession, @Res() response: AnyResponse): void {
    (response.raw ?? response).write(`data: ${session.id}\n\n`);
  }

  @Get('undeclared')
  undeclared(@CurrentSession() session: RequestSession, @Res() response: AnyResponse): void {
    (response.raw ?? response).write(`data: ${session.id}\n\n`);
  }

  @Post('prove')
  @HttpCode(204)
  async prove(@CurrentSession() session: RequestSession): Promise<void> {
    await session.elevate({ methods: ['otp'] });
  }

  @Post('act-as/:user')
  @HttpCode(204)
  async actAs(
    @Param('user') user: string,
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.impersonate(user);
  }

  @Post('act-as-nobody')
  @HttpCode(204)
  async actAsNobody(@CurrentSession() session: RequestSession): Promise<void> {
    await session.endImpersonation();
  }
}

function begin(id: string): Observable<Message> {
  return new Observable<Message>((subscriber) => {
    StreamController.live.add(subscriber);
    subscriber.next({ data: id });
    return () => void StreamController.live.delete(subscriber);
  });
}

export interface OpenStream {
  /** Of the session, as its first message says. */
  readonly id: string;
  readonly isClosed: boolean;
  /** Waits for its end: as it should be, or in the middle. */
  closes(): Promise<'ended' | 'cut off' | undefined>;
  hears(text: string): Promise<unknown>;
  leave(): void;
}

/** An application closes only when its streams have, so a test that failed has to leave them. */
const requests = new Set<ClientRequest>();

export function leaveAll(): void {
  for (const request of requests) request.destroy();
  requests.clear();
}

/** Begins a stream, and comes back with its first message. */
export async function openStream(url: string, path: string, client: Client): Promise<OpenStream> {
  const request = get(url + path, { agent: false, headers: { cookie: client.cookies } });
  requests.add(request);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`);
  let heard = '';
  let end: 'ended' | 'cut off' | undefined;
  response.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  response.on('error', () => undefined);
  response.once('close', () => {
    end = response.complete ? 'ended' : 'cut off';
    requests.delete(request);
  });
  const hears = (text: string): Promise<unknown> =>
    until(
      async () => heard,
      (all) => all.includes(text),
    );
  await hears('data: ');
  const [, id = ''] = /^data: (.*)$/m.exec(heard) ?? [];
  return {
    id,
    get isClosed() {
      return end !== undefined;
    },
    closes: () =>
      until(
        async () => end,
        (how) => how !== undefined,
      ),
    hears,
    leave: () => void request.destroy(),
  };
}
