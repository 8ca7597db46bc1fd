// Listens to the server, and comes back when the server does.

const NAMES = ["state", "begin", "text", "message", "problem", "list", "deleted"];
const BACK_AFTER = 1000;

/**
 * Listen to what happens.
 * @param url Where.
 * @param onEvent Is told the name and the data of each event.
 * @param onConnection Is told whether the server is there, each time that changes.
 * @returns A function that ends it.
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
      // The browser comes back by itself unless an answer has told it not to.
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
