// The calculator of costs.md: what a thread costs, and the form that asks for it. No library.
"use strict";

(() => {
  const KB = 1024;
  const ITEM_LIMIT = 400 * KB;
  const CHUNK = 400_000;
  // Bytes that items take beside what the fields say, as counted in graphs like those of the test:
  // a checkpoint's ids, versions and metadata, and more for each step; what of these is new in each
  // checkpoint, packed, and the keys beside a difference; the writes of a task; a part or a base.
  const OVERHEAD = { checkpoint: 680, step: 130, changed: 260, difference: 300, writes: 260, part: 260 };
  const WHOLE = 2 * KB;

  const units = (bytes) => Math.max(1, Math.ceil(bytes / KB));
  const readUnits = (bytes) => Math.max(1, Math.ceil(bytes / (4 * KB)));

  // What storing a value of so many bytes takes, beside what else its item holds. `parts` are the
  // write units of what lies outside the item.
  function placed(bytes, beside, asked) {
    const kept = { bytes: bytes + beside, items: 1, parts: 0, writes: 0, reads: 0, puts: 0, objects: 0 };
    if (asked.large === "s3" && bytes > asked.threshold * KB) {
      // A row that leads to the object, the object, and the item in a transaction, at twice the units.
      const rows = { bytes: beside + OVERHEAD.part, items: 2, parts: 1, puts: 1, objects: bytes };
      return { ...kept, ...rows, writes: 2 * units(beside) + 1, reads: readUnits(beside) };
    }
    if (bytes + beside <= ITEM_LIMIT) {
      return { ...kept, writes: units(bytes + beside), reads: readUnits(bytes + beside) };
    }
    const count = Math.ceil(bytes / CHUNK);
    let parts = 0;
    for (let number = 0; number < count; number += 1) {
      parts += units(Math.min(CHUNK, bytes - number * CHUNK) + OVERHEAD.part);
    }
    return {
      ...kept,
      items: 1 + count,
      parts,
      bytes: bytes + beside + count * OVERHEAD.part,
      writes: 2 * units(beside) + parts,
      reads: readUnits(beside) + readUnits(bytes + count * OVERHEAD.part) - 1,
    };
  }

  // A value as the setting stores it: packed where that saves a unit.
  function whole(size, beside, asked) {
    const packs = asked.compression !== "none" && size + beside > KB;
    return placed(packs ? size * asked.packed : size, beside, asked);
  }

  // The next checkpoint of a thread; `at` is the base that it goes on from, and what that has cost.
  function checkpoint(size, beside, asked, at) {
    const alone = whole(size, beside, asked);
    if (asked.compression !== "incremental") return { stored: alone, at: null };
    const total = size + beside;
    if (at !== null && total > WHOLE) {
      const difference = (total - at.size) * asked.packed + OVERHEAD.changed;
      const spent = at.spent + Math.floor(difference / KB);
      if (spent * KB < (at.bytes * total) / at.size) {
        return { stored: placed(difference, OVERHEAD.difference, asked), at: { ...at, spent } };
      }
    }
    if (alone.bytes + alone.objects <= WHOLE) return { stored: alone, at: null };
    const base = whole(total, OVERHEAD.part, asked);
    const stored = placed(OVERHEAD.changed, OVERHEAD.difference, asked);
    return { stored, base, at: { size: total, bytes: total * asked.packed, spent: 0, base } };
  }

  // What one thread costs: units, requests to S3, and what is there in the end.
  function thread(asked) {
    const found = { writes: 0, reads: 0, deletes: 0, puts: 0, gets: 0, items: 0, bytes: 0, objects: 0 };
    const beside = OVERHEAD.checkpoint + OVERHEAD.step * asked.steps;
    const share = asked.growth / (asked.steps + 1);
    const add = (stored, marks) => {
      found.writes += stored.writes;
      found.puts += stored.puts;
      found.items += stored.items;
      found.bytes += stored.bytes;
      found.objects += stored.objects;
      // The units of its items, a tombstone and a mark.
      const deleted = stored.parts > 0 ? units(beside) + stored.parts : stored.writes;
      found.deletes += deleted + marks;
      return deleted + marks;
    };
    let at = null;
    let newest = null;
    let last = { deletes: 0 };
    for (let turn = 0; turn < asked.turns; turn += 1) {
      found.reads += newest === null ? 1 : newest.reads + 1;
      // A process that has the base asks whether it was deleted, another one for the base.
      if (at !== null) found.reads += asked.seen === "no" ? at.base.reads : 1;
      found.gets += newest === null ? 0 : newest.puts;
      for (let step = 0; step < asked.steps + 2; step += 1) {
        const size = asked.start + turn * asked.growth + Math.max(1, step) * share;
        const made = checkpoint(size, beside, asked, at);
        if (made.base !== undefined) add(made.base, 1);
        at = made.at;
        newest = made.stored;
        last = { deletes: add(made.stored, 2) };
        if (step <= asked.steps) {
          const first = turn === 0 && step === 0 ? asked.start : 0;
          add(whole(share + first, OVERHEAD.writes, asked), 0);
        }
      }
    }
    if (asked.history === "newest") {
      const base = at === null ? { bytes: 0, items: 0, objects: 0 } : at.base;
      found.writes += found.deletes - last.deletes;
      found.deletes = last.deletes;
      found.items = newest.items + base.items;
      found.bytes = newest.bytes + base.bytes;
      found.objects = newest.objects + base.objects;
    }
    if (asked.end === "delete") found.writes += found.deletes;
    return found;
  }

  // Dollars of a month in which so many threads run, and of what is kept of them.
  function month(asked, prices) {
    const one = thread(asked);
    const price = (name) => prices[name] * asked.region * asked.threads;
    const kept = asked.days / 30;
    const gigabytes = (bytes) => (bytes / 2 ** 30) * kept;
    const dollars = {
      writes: (one.writes / 1e6) * price("write"),
      reads: (one.reads / 1e6) * price("read"),
      storage: gigabytes(one.bytes + 100 * one.items) * price("storage"),
      objects: gigabytes(one.objects) * price("objects"),
      requests: (one.puts / 1e6) * price("puts") + (one.gets / 1e6) * price("gets"),
    };
    const total = Object.values(dollars).reduce((sum, part) => sum + part, 0);
    return { thread: one, dollars: { ...dollars, total } };
  }

  const FIELDS = [
    { name: "turns", label: "Turns of a thread", value: 30, least: 1, most: 2000, whole: true },
    { name: "steps", label: "Steps of a turn (nodes that run one after another)", value: 1, least: 1, most: 100, whole: true },
    { name: "start", label: "State at the beginning, KB", value: 1, least: 0, most: 65536, scale: KB },
    { name: "growth", label: "Growth of a turn, KB", value: 2, least: 0, most: 65536, scale: KB },
    { name: "compression", label: "compression=", choices: { none: "None", zstd: "\"zstd\" or \"gzip\"", incremental: "\"incremental\"" } },
    { name: "packed", label: "Compressed to, percent", value: 30, least: 1, most: 100, scale: 0.01 },
    { name: "large", label: "Values that do not fit go to", choices: { chunks: "chunks in the table", s3: "S3" } },
    { name: "threshold", label: "To S3 from, KB", value: 350, least: 1, most: 65536 },
    { name: "seen", label: "Each turn runs in a process that has seen the thread", choices: { yes: "yes", no: "no" } },
    { name: "threads", label: "Threads of a month", value: 10000, least: 0, most: 1e9, whole: true },
    { name: "days", label: "Days that a thread is kept", value: 30, least: 0, most: 3650 },
    { name: "history", label: "Its history", choices: { all: "is kept whole", newest: "is pruned to the newest after the last turn" } },
    { name: "end", label: "In the end it", choices: { expire: "expires (ttl_seconds)", delete: "is deleted (delete_thread)" } },
    { name: "region", label: "Price of the region, times that of us-east-1", value: 1, least: 0.1, most: 5 },
  ];
  const RESULTS = [
    ["writes", "Write units of a thread", (found) => found.thread.writes],
    ["reads", "Read units of a thread", (found) => found.thread.reads],
    ["kept", "KB kept of a thread in the tables", (found) => found.thread.bytes / KB],
    ["dollars-writes", "Writes, dollars a month", (found) => found.dollars.writes],
    ["dollars-reads", "Reads, dollars a month", (found) => found.dollars.reads],
    ["dollars-storage", "Storage in the tables, dollars a month", (found) => found.dollars.storage],
    ["dollars-objects", "Storage in S3, dollars a month", (found) => found.dollars.objects],
    ["dollars-requests", "Requests to S3, dollars a month", (found) => found.dollars.requests],
    ["dollars-total", "Together, dollars a month", (found) => found.dollars.total],
  ];

  function made(tag, attributes, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  }

  function control(field) {
    const id = `thread-${field.name}`;
    if (field.choices === undefined) {
      const range = { min: field.least, max: field.most, step: field.whole ? 1 : "any", required: "" };
      return made("input", { id, name: field.name, type: "number", inputmode: "decimal", value: field.value, ...range });
    }
    const options = Object.entries(field.choices).map(([value, text]) => made("option", { value }, text));
    return made("select", { id, name: field.name }, ...options);
  }

  function answers(form) {
    return Object.fromEntries(
      FIELDS.map((field) => {
        const { value } = form.elements[field.name];
        return [field.name, field.choices === undefined ? Number(value) * (field.scale ?? 1) : value];
      }),
    );
  }

  function shown(name, value) {
    const digits = name.startsWith("dollars") ? 2 : 0;
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function build(place) {
    const rows = FIELDS.map((field) =>
      made("p", {}, made("label", { for: `thread-${field.name}` }, field.label), control(field)),
    );
    const form = made("form", { "aria-label": "What threads cost" }, ...rows);
    const problem = made("p", { role: "alert" });
    const body = made(
      "tbody",
      {},
      ...RESULTS.map(([name, label]) =>
        made("tr", {}, made("th", { scope: "row" }, label), made("td", {}, made("output", { id: `thread-${name}` }))),
      ),
    );
    const results = made("table", { "aria-live": "polite" }, made("caption", {}, "What that costs"), body);
    const fill = () => {
      const wrong = FIELDS.filter((field) => !form.elements[field.name].checkValidity());
      problem.textContent = wrong
        .map((field) => `${field.label}: between ${field.least} and ${field.most}${field.whole ? ", a whole number" : ""}.`)
        .join(" ");
      for (const field of FIELDS) {
        form.elements[field.name].setAttribute("aria-invalid", String(wrong.includes(field)));
      }
      const found = wrong.length === 0 ? month(answers(form), place.dataset) : null;
      for (const [name, , value] of RESULTS) {
        body.querySelector(`#thread-${name}`).textContent = found === null ? "-" : shown(name, value(found));
      }
    };
    form.addEventListener("input", fill);
    form.addEventListener("submit", (event) => event.preventDefault());
    place.replaceChildren(form, problem, results);
    fill();
  }

  build(document.getElementById("thread-calculator"));
})();
