// Dialogs: the browser keeps the focus in them, and gives it back.

import { find } from "./dom.js";

function opened(dialog) {
  dialog.showModal();
  return new Promise((resolve) => {
    // Not the event that it has closed: that comes later, when it may be open again.
    dialog.querySelector("form").onsubmit = (event) => resolve(event.submitter?.value === "yes");
    dialog.oncancel = () => resolve(false);
  });
}

/** Ask for a title; null if there shall be no other. */
export async function askTitle(title) {
  const input = find("rename-text");
  input.value = title;
  const answer = opened(find("rename-dialog"));
  input.select();
  return (await answer) ? input.value.trim() || null : null;
}

/** Ask whether to delete. */
export function confirmDelete(title) {
  find("delete-text").textContent =
    `“${title}” goes with its whole history and what it has cost. That cannot be undone.`;
  return opened(find("delete-dialog"));
}
