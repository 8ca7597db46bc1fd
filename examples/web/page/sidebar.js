// The conversations of a user: the thread index, page by page.

import * as api from "./api.js";
import { find, keyed, make } from "./dom.js";
import { dayOf } from "./words.js";

const PAGE = 12;
const SAYS = { waiting: "waits for you", failed: "failed", running: "is answering", idle: "" };

/**
 * The list in the sidebar.
 * @param onProblem Called with errors.
 * @param onShown Called with the conversations that are shown.
 */
export function makeSidebar(onProblem, onShown) {
  let user = null;
  let place = null;
  let found = [];
  let cursor = null;
  let asked = 0;

  function show() {
    keyed(find("conversations"), found, (one) => one.id, renderLine, updateLine);
    find("more").hidden = cursor === null;
    find("nothing").hidden = found.length > 0;
    onShown(found);
  }

  function updateLine(line, one) {
    const link = line.firstElementChild;
    link.href = `#/${user}/${one.id}`;
    if (one.id === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.querySelector(".title").textContent = one.title ?? "Untitled";
    const status = link.querySelector(".status");
    status.className = `status ${one.status}`;
    status.textContent = SAYS[one.status];
    link.querySelector("time").textContent = dayOf(one.updated);
    link.querySelector("time").dateTime = one.updated;
  }

  async function read(wanted) {
    const mine = ++asked;
    const status = find("filter").value;
    try {
      const page = await api.list(user, { status, ...wanted });
      return mine === asked ? page : null;
    } catch (error) {
      onProblem(error);
      return null;
    }
  }

  async function refresh() {
    const page = await read({ limit: Math.max(PAGE, found.length) });
    if (!page) return;
    found = page.conversations;
    cursor = page.cursor;
    show();
  }

  async function more() {
    const page = await read({ limit: PAGE, cursor });
    if (!page) return;
    const first = found.length;
    const known = new Set(found.map((one) => one.id));
    found = [...found, ...page.conversations.filter((one) => !known.has(one.id))];
    cursor = page.cursor;
    show();
    find("conversations").children[first]?.firstElementChild.focus();
  }

  find("more").addEventListener("click", more);
  find("filter").addEventListener("change", () => {
    found = [];
    refresh();
  });

  return {
    refresh,
    /** Show the conversations of a user, and mark the open one. */
    open(who, conversation) {
      place = conversation;
      if (who !== user) {
        user = who;
        found = [];
        cursor = null;
        refresh();
      }
      show();
    },
    titleOf: (conversation) => found.find((one) => one.id === conversation)?.title ?? null,
  };
}

function renderLine() {
  return make(
    "li",
    {},
    make(
      "a",
      {},
      make("span", { className: "title" }),
      " ",
      make("span", { className: "meta" }, make("time"), " ", make("span", { className: "status" })),
    ),
  );
}
