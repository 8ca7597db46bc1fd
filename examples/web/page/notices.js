// Notices of errors and hints, shown until the user closes them.

import { find, make } from "./dom.js";

const MOST = 3;

/** Show a notice: `problem` or `hint`. A repeated notice is shown once. */
export function notice(text, kind = "problem") {
  const list = find("notices");
  [...list.children].filter((one) => one.dataset.text === text).forEach((one) => one.remove());
  const close = make("button", { type: "button", className: "quiet", ariaLabel: "Dismiss" }, "✕");
  const shown = make("div", { className: `notice ${kind}`, role: kind === "problem" ? "alert" : "status" }, make("p", {}, text), close);
  shown.dataset.text = text;
  close.addEventListener("click", () => {
    shown.remove();
    find("message").focus();
  });
  list.append(shown);
  while (list.children.length > MOST) list.firstElementChild.remove();
}

export const clearNotices = () => find("notices").replaceChildren();
