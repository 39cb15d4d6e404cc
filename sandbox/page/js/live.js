// The server's event stream for the person: what changed, never the change itself.

const RETRY_MS = 2000;
let current = null;

/**
 * `onEvent({type, channel?})` for each event, `onState(connected)` when the stream opens or breaks. After a
 * break anything may have changed.
 */
export function listen(user, handlers) {
  current?.close();
  const source = new EventSource(`/sandbox/slack/events?user=${encodeURIComponent(user)}`);
  current = source;
  source.onmessage = (event) => handlers.onEvent(JSON.parse(event.data));
  source.onopen = () => handlers.onState(true);
  source.onerror = () => {
    handlers.onState(false);
    // The browser reconnects by itself, except to a stream that was refused.
    if (source.readyState === EventSource.CLOSED)
      setTimeout(() => source === current && listen(user, handlers), RETRY_MS);
  };
}
