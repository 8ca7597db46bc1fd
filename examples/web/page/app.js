// The page: the open conversation, its events, and the user's actions.

import { announce, announcePiece, announceRest } from "./announcer.js";
import * as api from "./api.js";
import { goOnAsk, questionAsk, scrollToEnd, showConversation } from "./chat.js";
import { confirmDelete, askTitle } from "./dialogs.js";
import { find, make } from "./dom.js";
import { after, NOTHING, shown, unfinished } from "./model.js";
import { clearNotices, notice } from "./notices.js";
import { makePast } from "./past.js";
import { makeSidebar } from "./sidebar.js";
import { listen } from "./stream.js";
import { costLine, count } from "./words.js";

const IDEAS = [
  "The espresso machine of order A-1042 arrived broken. I want my money back.",
  "Where is the parcel of order A-1103?",
  "What did I buy with order A-1077?",
];
const STOPPED =
  "The server ended in the middle of it, or another server is still writing it. What was stored is above.";
const GIVEN_BACK = "Your message was not stored when the server ended. It is back in the message box.";

let facts = { users: [], counts_units: true };
let place = null; // The open conversation; null for a new one.
let model = NOTHING;
let pending = null; // A message that was sent and is not known to be stored.
let stopListening = () => {};

const problem = (error) => notice(error.message);
const sidebar = makeSidebar(problem, () => showHead());
const past = makePast({
  placeOf: () => place,
  nowOf: () => model.checkpoint,
  onChange: show,
  onGo: () => uncover("now"),
  onProblem: problem,
});
const narrow = matchMedia("(max-width: 45.99rem)"); // One view at a time, as in style.css.

/* Navigation */

const userOf = () => find("user").value;

function route() {
  const [, user, conversation = null] = location.hash.match(/^#\/([a-z0-9-]+)(?:\/([\w-]+))?$/) ?? [];
  offer(user ?? facts.users[0]);
  find("user").value = user ?? facts.users[0];
  open(conversation && { user: userOf(), conversation });
}

/** Add a user to the list of users. */
function offer(user) {
  if ([...find("user").options].some((option) => option.value === user)) return;
  find("user").append(make("option", { value: user }, user[0].toUpperCase() + user.slice(1)));
}

function open(next) {
  stopListening();
  place = next;
  model = NOTHING;
  if (pending && pending.conversation !== place?.conversation) pending = null;
  clearNotices();
  past.leave();
  find("tree").replaceChildren();
  sidebar.open(userOf(), place?.conversation ?? null);
  setView("chat");
  show();
  stopListening = listen(api.eventsAt(userOf(), place?.conversation), onEvent, onConnection);
}

function setView(view) {
  document.body.dataset.view = view;
  for (const button of document.querySelectorAll(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  if (view === "history") past.refresh();
}

/** On narrow screens, switch to the conversation and focus an element of it. */
function uncover(id) {
  if (!narrow.matches) return;
  setView("chat");
  find(id).focus();
}

/* Events of the server */

function onEvent(name, data) {
  model = after(model, name, data);
  if (name === "list") return sidebar.refresh();
  if (name === "deleted") return gone();
  if (name === "problem") told(data);
  if (name === "begin" && pending?.id === data.said?.id && pending) pending.begun = true;
  if (name === "text") announcePiece(data.text);
  if (name === "message") announceRest();
  if (name === "state") settled();
  show();
  if (name === "begin") scrollToEnd();
}

function told({ kind, text }) {
  announceRest();
  // The conversation shows an error of a step, next to the button that retries the step.
  if (kind !== "failed" || place === null) notice(text, kind === "conflict" ? "hint" : "problem");
  else announce(text);
}

function settled() {
  announceRest();
  const [question] = model.questions;
  if (question) announce(`A person has to decide: ${question.text}`);
  if (pending && shown(model).some((message) => message.id === pending.id)) pending = null;
  else if (pending && (pending.begun || pending.unsure) && !model.next.includes("__start__")) giveBack();
  past.refresh();
}

function giveBack() {
  find("message").value ||= pending.text;
  pending = null;
  notice(GIVEN_BACK, "hint");
}

function gone() {
  history.replaceState(null, "", `#/${userOf()}`);
  open(null);
  notice("This conversation was deleted.", "hint");
  find("message").focus();
}

function onConnection(connected) {
  find("connection").textContent = connected ? "" : "The server does not answer. This page comes back by itself.";
  if (connected) {
    sidebar.refresh();
    readFacts();
  }
}

/* Actions of the user */

async function say(text) {
  const conversation = place?.conversation ?? crypto.randomUUID();
  const checkpoint = past.checkpoint();
  pending = { id: crypto.randomUUID(), text, conversation, begun: false, unsure: false };
  const sent = pending;
  find("message").value = "";
  past.leave();
  if (place === null) {
    history.pushState(null, "", `#/${userOf()}/${conversation}`);
    open({ user: userOf(), conversation });
  }
  show();
  scrollToEnd();
  try {
    await api.say(place, { id: sent.id, text, checkpoint });
  } catch (error) {
    // Without a response, the stored state shows whether the message has arrived.
    if (error.lost) sent.unsure = true;
    else if (pending === sent) {
      pending = null;
      find("message").value ||= text;
    }
    problem(error);
    show();
  }
}

async function answerQuestion(question, approved, reason, again) {
  try {
    await api.answer(place, { question: question.id, approved, reason });
    find("message").focus();
  } catch (error) {
    again();
    refused(error);
  }
}

async function goOn(checkpoint, again = () => {}) {
  try {
    await api.goOn(place, checkpoint);
    find("message").focus();
  } catch (error) {
    again();
    refused(error);
  }
}

/** Show the reason, and reload the conversation, which may have continued elsewhere. */
function refused(error) {
  notice(error.message, error.status === 409 ? "hint" : "problem");
  if (error.status !== 409) return;
  stopListening();
  stopListening = listen(api.eventsAt(userOf(), place.conversation), onEvent, onConnection);
}

async function rename() {
  const title = await askTitle(sidebar.titleOf(place.conversation) ?? "");
  if (title) await api.rename(place, title).catch(problem);
}

async function remove() {
  if (await confirmDelete(sidebar.titleOf(place.conversation) ?? "Untitled")) {
    await api.remove(place).catch(problem);
  }
}

async function end() {
  find("end").disabled = true;
  await api
    .about()
    .then(({ process }) => api.endProcess(process))
    .catch(() => {});
  find("end").disabled = false;
}

/* Rendering */

function show() {
  const shownNow = past.model() ?? model;
  const messages = shown(shownNow);
  const waitsToBeStored = pending && !past.model() && !messages.some((message) => message.id === pending.id);
  if (waitsToBeStored) messages.push({ id: pending.id, type: "human", text: pending.text, name: null, calls: [] });
  find("messages").setAttribute("aria-busy", String(model.running));
  find("start").hidden = messages.length > 0 || (place !== null && !model.known);
  past.show();
  showHead();
  showComposer(shownNow);
  // Last, when the space left for it is known.
  showConversation(messages, shownNow.costs, facts.counts_units, past.model() ? [] : asks());
}

function asks() {
  if (model.running) return [];
  if (model.status === "waiting") return model.questions.map((question) => questionAsk(question, answerQuestion));
  const key = `${model.checkpoint} ${model.status}`;
  const go = (again) => goOn(null, again);
  if (model.status === "failed") return [goOnAsk(key, "The last step failed", model.error, "Try again", go)];
  if (model.status === "stopped") return [goOnAsk(key, "This answer was cut off", STOPPED, "Continue", go)];
  return [];
}

function showHead() {
  const stored = place !== null && model.checkpoint !== null;
  const title = (place && sidebar.titleOf(place.conversation)) ?? (stored ? "Untitled" : "New conversation");
  find("title").textContent = title;
  document.title = `${title} – Support desk`;
  find("manage").hidden = !stored;
  const runs = model.costs.length;
  find("total").hidden = runs === 0;
  if (runs) find("total").textContent = `${count(runs, "run")}: ${costLine(model.total, facts.counts_units)}`;
}

function showComposer(shownNow) {
  const hint = hintFor(shownNow);
  find("send").disabled = hint !== "";
  find("composer-hint").textContent = hint || "Enter sends, Shift and Enter begin a new line.";
}

function hintFor(shownNow) {
  if (model.running) return "An answer is being written.";
  if (!unfinished(shownNow)) return "";
  if (past.model()) return "This step is not the end of a turn: run it again, or go to another one.";
  if (model.status === "waiting") return "Decide first: a question waits above.";
  return "Finish the turn above first.";
}

async function readFacts() {
  try {
    facts = await api.about();
  } catch (error) {
    problem(error);
    return;
  }
  const lines = { Data: facts.engine, Model: facts.model, Process: facts.process, Prices: facts.prices };
  find("server").replaceChildren(
    ...Object.entries(lines).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))),
  );
}

/* Wiring */

find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("message").value.trim();
  if (text && !find("send").disabled) say(text);
});
find("message").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("composer").requestSubmit();
});
find("new").addEventListener("click", () => {
  location.hash = `#/${userOf()}`;
  setView("chat");
  find("message").focus();
});
find("user").addEventListener("change", () => (location.hash = `#/${userOf()}`));
find("rename").addEventListener("click", rename);
find("delete").addEventListener("click", remove);
find("end").addEventListener("click", end);
find("again").addEventListener("click", () => {
  const checkpoint = past.checkpoint();
  past.leave();
  goOn(checkpoint);
});
find("now").addEventListener("click", () => {
  past.leave();
  find("message").focus();
});
for (const button of document.querySelectorAll(".views button")) {
  button.addEventListener("click", () => setView(button.dataset.view));
}
find("ideas").append(
  ...IDEAS.map((idea) => {
    const button = make("button", { type: "button" }, idea);
    button.addEventListener("click", () => say(idea));
    return make("li", {}, button);
  }),
);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // The URL determines the open conversation.
  find("message").focus();
});
addEventListener("hashchange", () => {
  route();
  uncover(place ? "scroll" : "message");
});

await readFacts();
facts.users.forEach(offer);
route();
