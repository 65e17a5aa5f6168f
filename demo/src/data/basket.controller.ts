import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Delete,
  Get,
  HttpCode,
  Post,
} from '@nestjs/common';
import { CurrentSession, Public, type RequestSession, SkipTouch } from 'nestjs-session-kit';
import { type Fields, JsonBodyPipe, textField } from '../web/json-body.pipe.js';

const GOODS = ['tea', 'honey', 'bread', 'cheese'];
const MAX_ITEMS = 20;

const itemBody = new JsonBodyPipe((fields: Fields) => {
  const item = textField(fields, 'item', 20);
  if (GOODS.includes(item)) return { item };
  throw new BadRequestException(`"item" must be one of ${GOODS.join(', ')}`);
});

/**
 * A basket for everybody. The first item of a visitor makes an anonymous session; `keepOnLogin`
 * in the options lets it survive their login.
 */
@Public()
@Controller('basket')
export class BasketController {
  @SkipTouch()
  @Get()
  async basket(@CurrentSession() session: RequestSession): Promise<{ items: string[] }> {
    return { items: (await session.get('basket')) ?? [] };
  }

  @Post()
  @HttpCode(200)
  async add(
    @Body(itemBody) { item }: { readonly item: string },
    @CurrentSession() session: RequestSession,
  ): Promise<{ items: string[] }> {
    const items = await session.update('basket', (basket = []) => {
      if (basket.length >= MAX_ITEMS) throw new ConflictException('The basket is full');
      return [...basket, item];
    });
    return { items };
  }

  @Delete()
  @HttpCode(204)
  async empty(@CurrentSession() session: RequestSession): Promise<void> {
    await session.delete('basket');
  }
}
