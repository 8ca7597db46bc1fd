// Time travel: the tree beside the conversation, and the selected checkpoint.

import * as api from "./api.js";
import { announce } from "./announcer.js";
import { find } from "./dom.js";
import { NOTHING } from "./model.js";
import { showTree } from "./tree.js";
import { timeOf } from "./words.js";

/**
 * The history of the open conversation.
 * @param placeOf Returns the conversation.
 * @param nowOf Returns its newest checkpoint.
 * @param onChange Called when another checkpoint is selected.
 * @param onGo Called when the user has gone to a checkpoint.
 * @param onProblem Called with errors.
 */
export function makePast({ placeOf, nowOf, onChange, onGo, onProblem }) {
  let rows = [];
  let before = null;
  let seen = null; // The state at the selected checkpoint; null for the newest.
  let asked = 0;

  const visible = () => getComputedStyle(find("tree").parentElement).display !== "none";

  async function read(from) {
    const mine = ++asked;
    const place = placeOf();
    if (place === null) return;
    try {
      const page = await api.history(place, from);
      if (mine !== asked) return;
      rows = from ? [...rows, ...page.checkpoints] : page.checkpoints;
      before = page.before;
      show();
    } catch (error) {
      onProblem(error);
    }
  }

  async function go(row) {
    if (row.checkpoint === nowOf()) {
      leave();
      return onGo();
    }
    const place = placeOf();
    try {
      const found = await api.checkpoint(place, row.checkpoint);
      if (placeOf() !== place) return;
      seen = { ...NOTHING, ...found, known: true, label: row.label };
      announce(`Step ${row.step}, as it was at ${timeOf(row.created)}: ${row.label}`);
      onChange();
      onGo();
    } catch (error) {
      onProblem(error);
    }
  }

  function leave() {
    const wasThere = seen !== null;
    seen = null;
    if (wasThere) onChange();
  }

  function show() {
    find("past").hidden = seen === null;
    if (seen !== null) {
      find("past-title").textContent = `Step ${seen.step}, as it was at ${timeOf(seen.created)}.${
        seen.next.length ? "" : " A message from here begins another branch."
      }`;
      find("again").hidden = seen.next.length === 0;
    }
    if (placeOf() === null) rows = [];
    find("older").hidden = before === null || rows.length === 0;
    showTree(rows, { current: seen?.checkpoint ?? nowOf(), now: nowOf(), onGo: go });
  }

  find("older").addEventListener("click", () => read(before));

  return {
    /** Reload the tree if it is visible. */
    refresh: () => {
      if (visible()) read(null);
    },
    leave: () => {
      rows = placeOf() === null ? [] : rows;
      leave();
    },
    show,
    model: () => seen,
    checkpoint: () => seen?.checkpoint ?? null,
  };
}
