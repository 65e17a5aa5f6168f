import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { CurrentSession, type RequestSession } from 'nestjs-session-kit';
import { type Fields, JsonBodyPipe, textField } from '../web/json-body.pipe.js';

const noteBody = new JsonBodyPipe((fields: Fields) => ({ text: textField(fields, 'text', 200) }));

/** Data of one session: another device of the same user has its own. */
@Controller()
export class NoteController {
  @Get('note')
  async note(@CurrentSession() session: RequestSession): Promise<{ text: string }> {
    return { text: (await session.get('note')) ?? '' };
  }

  /** Stored when the answer arrives, and without touching any other field. */
  @Put('note')
  @HttpCode(204)
  async save(
    @Body(noteBody) { text }: { readonly text: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.set('note', text);
  }

  /** Counts at the store: two requests at the same time count as two. */
  @Post('visits')
  @HttpCode(200)
  async visit(@CurrentSession() session: RequestSession): Promise<{ visits: number }> {
    return { visits: await session.increment('visits') };
  }
}
