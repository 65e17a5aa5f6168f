/**
 * Compiled, never run: what the compiler says once an application has declared its session data.
 * Apart from all other tests, because such a declaration counts for the whole program.
 */
import type { INestApplicationContext } from '@nestjs/common';
import type {
  RequestSession,
  Session,
  SessionData,
  SessionField,
  SessionFieldTypes,
  SessionService,
} from 'nestjs-session-kit';
import { actingAs } from 'nestjs-session-kit/testing';
import type { Equal } from '../equal.js';

interface Cart {
  readonly items: readonly { readonly sku: string; readonly addedAt: Date }[];
}

declare module 'nestjs-session-kit' {
  interface SessionData {
    cart: Cart;
    locale: 'de' | 'en';
    visits: number;
    tags: string[];
    referrer: string | null;
  }
}

void (true satisfies Equal<SessionFieldTypes, SessionData>);
void (true satisfies Equal<SessionField, 'cart' | 'locale' | 'visits' | 'tags' | 'referrer'>);

const cart: Cart = { items: [{ sku: 'tea', addedAt: new Date() }] };

/** The same on the session of a request and on one that was resolved. */
export async function use(session: RequestSession | Session): Promise<void> {
  const read = await session.get('cart');
  void (true satisfies Equal<typeof read, Cart | undefined>);
  const locale = await session.get('locale');
  void (true satisfies Equal<typeof locale, 'de' | 'en' | undefined>);
  const referrer = await session.get('referrer');
  void (true satisfies Equal<typeof referrer, string | null | undefined>);
  const all = await session.all();
  void (true satisfies Equal<typeof all, Partial<SessionData>>);

  await session.set('cart', cart);
  await session.set('locale', 'de');
  await session.set({ visits: 1, tags: ['a'], referrer: null });
  await session.delete('cart', 'tags');
  await session.increment('visits');
  await session.append('tags', 'b');
  const visits = await session.update('visits', (current) => (current ?? 0) + 1);
  void (true satisfies Equal<typeof visits, number>);

  // @ts-expect-error -- no such field
  await session.get('carts');
  // @ts-expect-error -- no such field
  await session.set('carts', cart);
  // @ts-expect-error -- no such field
  await session.set({ visit: 1 });
  // @ts-expect-error -- no such field
  await session.delete('carts');
  // @ts-expect-error -- no such field
  await session.increment('visit');
  // @ts-expect-error -- no such field
  await session.append('tag', 'b');
  // @ts-expect-error -- no such field
  await session.update('visit', () => 1);
  // @ts-expect-error -- a field has a name
  await session.get(Symbol('cart'));

  // @ts-expect-error -- not the declared type
  await session.set('locale', 'fr');
  // @ts-expect-error -- not the declared type
  await session.set('visits', '1');
  // @ts-expect-error -- not the declared type
  await session.set('cart', { items: ['tea'] });
  // @ts-expect-error -- not the declared type
  await session.set({ visits: '1' });
  // @ts-expect-error -- a field is deleted, not set to undefined
  await session.set('visits', undefined);
  // @ts-expect-error -- not the declared type
  await session.update('visits', (current) => String(current));
  // @ts-expect-error -- there may be no value yet
  await session.update('visits', (current) => current + 1);
  // @ts-expect-error -- there may be no value
  (await session.get('cart')).items.at(0);
}

export async function create(
  service: SessionService,
  session: RequestSession,
  app: INestApplicationContext,
): Promise<void> {
  await service.create('alice', { data: { cart, visits: 0 } });
  await session.login('alice', { data: { locale: 'de' } });
  await actingAs(app, 'alice', { data: { cart } });
  // @ts-expect-error -- no such field
  await service.create('alice', { data: { basket: cart } });
  // @ts-expect-error -- not the declared type
  await session.login('alice', { data: { locale: 'fr' } });
  // @ts-expect-error -- not the declared type
  await actingAs(app, 'alice', { data: { cart: [] } });
}
