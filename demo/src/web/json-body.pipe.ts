import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Named values from a client, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Gives a handler a checked body: `@Body(new JsonBodyPipe(readLogin))`. What the reader does not
 * pick from the fields never reaches the handler.
 */
@Injectable()
export class JsonBodyPipe<Body> implements PipeTransform<unknown, Body> {
  constructor(private readonly reader: (fields: Fields) => Body) {}

  transform(body: unknown): Body {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new BadRequestException('Send a JSON object, as Content-Type: application/json');
    }
    return this.reader(body as Fields);
  }
}

/** A text with at most so many characters. */
export function textField(fields: Fields, name: string, max: number): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length <= max) return value;
  throw new BadRequestException(`"${name}" must be a text of at most ${max} characters`);
}

/** True or false; false if it is not there. */
export function booleanField(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new BadRequestException(`"${name}" must be true or false`);
}
