import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { Injectable } from '@nestjs/common';

const FOLDER = new URL('../../public/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the folder `public`, by name; no other path can be asked for. */
@Injectable()
export class PublicFiles {
  readonly #names = new Set(readdirSync(FOLDER));

  async read(name: string): Promise<{ bytes: Buffer; type: string } | undefined> {
    const type = TYPES[extname(name)];
    if (type === undefined || !this.#names.has(name)) return undefined;
    return { bytes: await readFile(new URL(name, FOLDER)), type };
  }
}
