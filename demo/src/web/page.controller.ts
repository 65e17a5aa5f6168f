import { Controller, Get, Header, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { Public } from 'nestjs-session-kit';
import { PublicFiles } from './public-files.service.js';

/** Public routes read no session store: the page costs it nothing. */
@Public()
@Controller()
export class PageController {
  constructor(private readonly files: PublicFiles) {}

  @Get()
  @Header('Cache-Control', 'no-cache')
  page(): Promise<StreamableFile> {
    return this.asset('index.html');
  }

  @Get('assets/:name')
  @Header('Cache-Control', 'no-cache')
  async asset(@Param('name') name: string): Promise<StreamableFile> {
    const file = await this.files.read(name);
    if (!file) throw new NotFoundException('There is no such file');
    return new StreamableFile(file.bytes, { type: file.type, length: file.bytes.length });
  }
}
