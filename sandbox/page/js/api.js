// The server's JSON API, and the one way in which a refusal reaches a person.

/** Slack's words for what a person would not understand. */
const SENTENCES = {
  operation_timeout: "Patchgate did not answer within 3 seconds",
  dispatch_failed: "Patchgate is not connected",
  message_not_found: "This message is gone",
  channel_not_found: "There is no such channel for you",
  view_not_found: "This form is no longer open",
  not_found: "This is no longer there",
};

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** GET → parsed JSON. Throws `Refused` with one sentence, as the others here do. */
export function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  return send(search ? `${path}?${search}` : path, {});
}

export function post(path, body) {
  return send(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export function remove(path) {
  return send(path, { method: "DELETE" });
}

async function send(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Refused("The sandbox does not answer. Is it still running?", 0);
  }
  const text = await response.text();
  const body = parsed(text);
  if (response.ok && (body?.ok !== false || body.errors)) return body ?? {};
  throw new Refused(sentence(body?.error) ?? `The sandbox answered ${response.status}.`, response.status);
}

function sentence(error) {
  return Object.hasOwn(SENTENCES, error ?? "") ? `${SENTENCES[error]} (${error}).` : error;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Runs `task` now, or once more after the run under way: many events in a row cost two fetches, not many.
 * A failure goes to `onError`; the next event tries again.
 */
export function coalesced(task, onError) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await task();
      } catch (error) {
        onError(error);
      }
    } while (again);
    running = false;
  };
}
