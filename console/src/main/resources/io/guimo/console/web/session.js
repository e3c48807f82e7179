// The owner's key, kept for this tab alone, and requests made with it.

const STORED_UNDER = 'guimo.owner-key';

export const storedKey = () => sessionStorage.getItem(STORED_UNDER);
export const keepKey = (key) => sessionStorage.setItem(STORED_UNDER, key);
export const forgetKey = () => sessionStorage.removeItem(STORED_UNDER);

/** A refusal of the server, or no answer at all (`status` 0). `code` is stable, `message` is the server's own words. */
export class Refused extends Error {
  constructor(status, code, message, requestId) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/**
 * Sends a request and returns its answer, or throws a {@link Refused}.
 * `json` is sent as JSON, `body` as it is.
 */
export const send = async (key, method, path, { json, body, headers = {}, signal, keepalive } = {}) => {
  const request = { method, signal, keepalive, headers: { authorization: `Bearer ${key}`, ...headers } };
  if (json !== undefined) {
    request.headers['content-type'] = 'application/json';
    request.body = JSON.stringify(json);
  } else if (body !== undefined) {
    request.body = body;
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Refused(0, 'unreachable', cause.message, null);
  }
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
};

const refusalOf = async (answer) => {
  const requestId = answer.headers.get('x-request-id');
  try {
    const { error } = await answer.json();
    return new Refused(answer.status, error.code ?? error.type, error.message, requestId);
  } catch {
    // an answer from something between this page and the server
    return new Refused(answer.status, 'unreadable', `${answer.status} ${answer.statusText}`, requestId);
  }
};
