// The event stream of the server, with reconnection.

const NAMES = ["state", "begin", "text", "message", "problem", "list", "deleted"];
const BACK_AFTER = 1000;

/**
 * Listen to events.
 * @param url URL of the stream.
 * @param onEvent Called with the name and the data of each event.
 * @param onConnection Called with whether the server is connected, on each change.
 * @returns A function that closes the stream.
 */
export function listen(url, onEvent, onConnection) {
  let source;
  let timer;
  let connected = null;

  function tell(now) {
    if (connected !== now) onConnection(now);
    connected = now;
  }

  function open() {
    source = new EventSource(url);
    source.onopen = () => tell(true);
    source.onerror = () => {
      tell(false);
      // The browser reconnects by itself, except after an error response.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, BACK_AFTER);
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event) => onEvent(name, JSON.parse(event.data)));
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
