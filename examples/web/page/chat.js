// The conversation in the middle: messages, the cost of each run, and pending questions.

import { find, keyed, make } from "./dom.js";
import { costLine } from "./words.js";

const NEAR_END = 120;
const WHO = { human: "You", ai: "Support desk" };

/** Show messages, the costs of the runs that ended at them, and what the conversation waits for. */
export function showConversation(messages, costs, countsUnits, asks) {
  const scroll = find("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
  keyed(
    find("messages"),
    messages.filter((message) => message.text || message.type === "tool"),
    (message) => message.id,
    renderMessage,
    (item, message) => updateMessage(item, message, costs, countsUnits),
  );
  keyed(find("asks"), asks, (ask) => ask.key, (ask) => ask.render(), () => {});
  if (atEnd) scrollToEnd();
}

export function scrollToEnd() {
  const scroll = find("scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

/** The form of a pending question: yes or no, and a reason. */
export function questionAsk(question, onAnswer) {
  return {
    key: question.id,
    render: () => {
      const reason = make("input", { id: `reason-${question.id}`, maxLength: 1000, autocomplete: "off" });
      const buttons = [
        make("button", { type: "submit", className: "primary", textContent: "Approve" }),
        make("button", { type: "button", className: "danger", textContent: "Refuse" }),
      ];
      const decide = (approved) => {
        buttons.forEach((button) => (button.disabled = true));
        onAnswer(question, approved, reason.value.trim(), () =>
          buttons.forEach((button) => (button.disabled = false)),
        );
      };
      buttons[1].addEventListener("click", () => decide(false));
      const form = make(
        "form",
        { className: "ask waits", ariaLabel: "A person has to decide" },
        make("h3", {}, "A person has to decide"),
        make("p", {}, question.text),
        make("label", { htmlFor: reason.id }, "Reason (optional)"),
        reason,
        make("div", { className: "row" }, ...buttons),
      );
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        decide(true);
      });
      return form;
    },
  };
}

/** A notice for an unfinished run, with a button that continues it. */
export function goOnAsk(key, title, text, button, onGoOn) {
  return {
    key,
    render: () => {
      const go = make("button", { type: "button", className: "primary", textContent: button });
      go.addEventListener("click", () => {
        go.disabled = true;
        onGoOn(() => (go.disabled = false));
      });
      return make(
        "section",
        { className: "ask failed", ariaLabel: title },
        make("h3", {}, title),
        make("p", {}, text),
        make("div", { className: "row" }, go),
      );
    },
  };
}

function renderMessage(message) {
  if (message.type === "tool") {
    return make(
      "li",
      { className: "tool" },
      make("div", { className: "body" }, make("code", {}, message.name ?? "tool"), make("span", { className: "text" })),
      make("ul", { className: "costs" }),
    );
  }
  return make(
    "li",
    { className: message.type },
    make("span", { className: "unseen" }, `${WHO[message.type] ?? message.type}: `),
    make("div", { className: "body text" }),
    make("ul", { className: "costs" }),
  );
}

function updateMessage(item, message, costs, countsUnits) {
  const text = item.querySelector(".text");
  if (text.textContent !== message.text) text.textContent = message.text;
  const here = costs.filter((cost) => cost.after === message.id);
  keyed(
    item.querySelector(".costs"),
    here,
    (cost) => cost.run,
    () => make("li", { className: "cost" }),
    (line, cost) => (line.textContent = costLine(cost, countsUnits)),
  );
}
