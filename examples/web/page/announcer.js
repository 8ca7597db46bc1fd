// Reads streamed text aloud to those who do not see it: sentence by sentence, not word by word.

import { find } from "./dom.js";

const SENTENCE = /^.*?[.!?]+(?=\s)/s;
let waiting = "";

/** Say something at once. */
export function announce(text) {
  find("announcer").textContent = text;
}

/** Say this piece once its sentence is complete. */
export function announcePiece(text) {
  waiting += text;
  for (let found; (found = waiting.match(SENTENCE)); ) {
    announce(found[0].trim());
    waiting = waiting.slice(found[0].length);
  }
}

/** Say what is left: the message is complete. */
export function announceRest() {
  if (waiting.trim()) announce(waiting.trim());
  waiting = "";
}
