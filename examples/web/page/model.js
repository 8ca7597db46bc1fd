// What is known of the conversation that is open: what is stored, and what just happens.

export const NOTHING = Object.freeze({
  known: false,
  checkpoint: null,
  messages: [],
  live: [],
  questions: [],
  status: "idle",
  error: null,
  next: [],
  running: false,
  costs: [],
  total: null,
});

/** What is known once this event has been told. */
export function after(model, name, data) {
  switch (name) {
    case "state":
      return { ...model, ...data, known: true, running: false, live: [] };
    case "begin":
      return {
        ...model,
        ...data.base,
        known: true,
        questions: [],
        error: null,
        running: true,
        live: data.said ? [data.said] : [],
      };
    case "text":
      return { ...model, live: withText(model.live, data) };
    case "message":
      return { ...model, live: withMessage(model.live, data) };
    default:
      return model;
  }
}

/** All messages, as far as they have come. */
export const shown = (model) => [...model.messages, ...model.live];

/** What a step still has to do, whatever it waits for. */
export const unfinished = (model) => model.next.length > 0;

function withText(live, { id, text }) {
  const found = live.find((message) => message.id === id);
  if (!found) return [...live, { id, type: "ai", text, name: null, calls: [] }];
  return live.map((message) => (message === found ? { ...found, text: found.text + text } : message));
}

function withMessage(live, message) {
  if (!live.some((one) => one.id === message.id)) return [...live, message];
  return live.map((one) => (one.id === message.id ? message : one));
}
