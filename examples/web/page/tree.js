// The history as a tree, drawn as in `git log --graph`: newest first, one lane for each branch.

import { draw, find, make } from "./dom.js";
import { timeOf } from "./words.js";

const STEP = 14;
const ROW = 48;
const COLOURS = 4;

/**
 * The position of each checkpoint.
 * @param rows Checkpoints, newest first, each with the id of its parent.
 * @returns For each checkpoint its lane, the lanes that pass it above and below, and those that join it.
 */
export function lay(rows) {
  const lanes = []; // The next checkpoint of each lane.
  return rows.map((row) => {
    const above = lanes.map((id) => id !== null);
    let lane = lanes.indexOf(row.checkpoint);
    const tip = lane < 0;
    if (tip) {
      lane = lanes.indexOf(null);
      if (lane < 0) lane = lanes.length;
    }
    const joins = [];
    lanes.forEach((id, other) => {
      if (id === row.checkpoint && other !== lane) {
        joins.push(other);
        lanes[other] = null;
      }
    });
    lanes[lane] = row.parent;
    const below = lanes.map((id) => id !== null);
    return { lane, tip, joins, above, below };
  });
}

/** Show the tree. */
export function showTree(rows, { current, now, onGo }) {
  const places = lay(rows);
  const width = Math.max(1, ...places.map((place) => Math.max(place.above.length, place.below.length))) * STEP;
  const focused = document.activeElement?.closest("#tree li")?.dataset.key;
  find("tree").replaceChildren(
    ...rows.map((row, at) => renderRow(row, places[at], { width, current, now, onGo })),
  );
  if (focused) find("tree").querySelector(`[data-key="${focused}"] button`)?.focus();
}

function renderRow(row, place, { width, current, now, onGo }) {
  const marks = [
    row.checkpoint === now && ["now", "now"],
    row.forked && ["fork", "fork"],
    row.status === "waiting" && ["waiting", "question"],
    row.status === "failed" && ["failed", "failed"],
  ].filter(Boolean);
  const button = make(
    "button",
    { type: "button", title: row.label },
    make("span", { className: "label" }, row.label),
    make(
      "span",
      { className: "meta" },
      `step ${row.step}, ${timeOf(row.created)}${place.lane ? `, branch ${place.lane + 1}` : ""}`,
      // The spaces separate words for screen readers.
      ...marks.flatMap(([kind, text]) => [" ", make("span", { className: `mark ${kind}` }, text)]),
    ),
  );
  if (row.checkpoint === current) button.setAttribute("aria-current", "step");
  button.addEventListener("click", () => onGo(row));
  const item = make("li", {}, drawRow(place, width), button);
  item.dataset.key = row.checkpoint;
  return item;
}

function drawRow({ lane, tip, joins, above, below }, width) {
  const x = (at) => at * STEP + STEP / 2;
  const middle = ROW / 2;
  const line = (at, path) => draw("path", { d: path, class: `line lane-${at % COLOURS}` });
  const lines = [];
  above.forEach((passes, at) => {
    if (!passes || joins.includes(at) || at === lane) return;
    lines.push(line(at, `M${x(at)} 0V${ROW}`));
  });
  joins.forEach((at) => lines.push(line(at, `M${x(at)} 0C${x(at)} ${middle} ${x(lane)} ${middle / 2} ${x(lane)} ${middle}`)));
  if (!tip) lines.push(line(lane, `M${x(lane)} 0V${middle}`));
  if (below[lane]) lines.push(line(lane, `M${x(lane)} ${middle}V${ROW}`));
  return draw(
    "svg",
    { width, height: ROW, viewBox: `0 0 ${width} ${ROW}`, "aria-hidden": "true", focusable: "false" },
    ...lines,
    draw("circle", { cx: x(lane), cy: middle, r: 4.5, class: `dot lane-${lane % COLOURS}` }),
  );
}
