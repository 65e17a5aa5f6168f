import { Module } from '@nestjs/common';
import { PageController } from './page.controller.js';
import { PublicFiles } from './public-files.service.js';

/** The page in a browser. */
@Module({
  controllers: [PageController],
  providers: [PublicFiles],
})
export class WebModule {}
