// Modal dialogs: the browser keeps the focus inside and restores it afterwards.

import { find } from "./dom.js";

function opened(dialog) {
  dialog.showModal();
  return new Promise((resolve) => {
    // Not the "close" event: it fires later, when the dialog may be open again.
    dialog.querySelector("form").onsubmit = (event) => resolve(event.submitter?.value === "yes");
    dialog.oncancel = () => resolve(false);
  });
}

/** Ask for a title; null to keep the current one. */
export async function askTitle(title) {
  const input = find("rename-text");
  input.value = title;
  const answer = opened(find("rename-dialog"));
  input.select();
  return (await answer) ? input.value.trim() || null : null;
}

/** Ask for confirmation of a deletion. */
export function confirmDelete(title) {
  find("delete-text").textContent =
    `“${title}” goes with its whole history and what it has cost. That cannot be undone.`;
  return opened(find("delete-dialog"));
}
