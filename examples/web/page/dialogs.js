// Dialogs: the browser keeps the focus in them, and gives it back.

import { find } from "./dom.js";

function opened(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
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
