/**
 * A browser as far as cookies go: a real HTTP client that keeps what it is given.
 */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly setCookies: string[];
  readonly body: unknown;
}

export class Client {
  readonly #url: string;
  readonly #jar = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** `name=value; …` as it would be sent. */
  get cookies(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  set cookies(header: string) {
    this.#jar.clear();
    for (const pair of header.split('; ').filter(Boolean)) {
      const equals = pair.indexOf('=');
      this.#jar.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
  }

  /** Another client with the same cookies: a copied token. */
  clone(): Client {
    const copy = new Client(this.#url);
    copy.cookies = this.cookies;
    return copy;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, body, headers);
  }

  delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }

  async login(user: string, options: object = {}): Promise<Answer> {
    const answer = await this.post('/login', { user, ...options });
    if (answer.status !== 204) throw new Error(`login answered ${answer.status}`);
    return answer;
  }

  async send(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(this.#jar.size > 0 && { cookie: this.cookies }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const setCookies = response.headers.getSetCookie();
    setCookies.forEach((line) => this.#store(line));
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      setCookies,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    const isDeletion = attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute));
    if (isDeletion) this.#jar.delete(name);
    else this.#jar.set(name, pair.slice(equals + 1).trim());
  }
}
