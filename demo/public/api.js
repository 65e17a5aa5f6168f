// Talks to the server: JSON in, JSON out, and one kind of error.

export class ApiError extends Error {
  constructor(status, { message, code }) {
    super(Array.isArray(message) ? message.join(', ') : (message ?? `The server said ${status}`));
    this.status = status;
    /** Which of the session kit's refusals it is, such as ERR_SESSION_EVICTED. */
    this.code = code;
  }

  /** The session is over, or there was none. A wrong password is a 401 without such a code. */
  get isSessionLost() {
    return this.status === 401 && this.code?.startsWith('ERR_SESSION_') === true;
  }
}

/** Tells the rest of the page when the server refuses the session. */
export const sessionEvents = new EventTarget();

export async function api(method, path, body) {
  const response = await send(method, path, body);
  const text = await response.text();
  const answer = text === '' ? undefined : parse(text);
  if (response.ok) return answer;
  const error = new ApiError(response.status, answer ?? {});
  if (error.isSessionLost) {
    sessionEvents.dispatchEvent(new CustomEvent('lost', { detail: error.code }));
  }
  throw error;
}

async function send(method, path, body) {
  try {
    return await fetch(path, {
      method,
      cache: 'no-store',
      ...(body !== undefined && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  } catch {
    throw new ApiError(0, { message: 'The server cannot be reached' });
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}
