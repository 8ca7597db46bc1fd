// Announces streamed text to screen readers: by sentence, not by word.

import { find } from "./dom.js";

const SENTENCE = /^.*?[.!?]+(?=\s)/s;
let waiting = "";

/** Announce a text immediately. */
export function announce(text) {
  find("announcer").textContent = text;
}

/** Announce a piece of text once its sentence is complete. */
export function announcePiece(text) {
  waiting += text;
  for (let found; (found = waiting.match(SENTENCE)); ) {
    announce(found[0].trim());
    waiting = waiting.slice(found[0].length);
  }
}

/** Announce the rest of a complete message. */
export function announceRest() {
  if (waiting.trim()) announce(waiting.trim());
  waiting = "";
}
