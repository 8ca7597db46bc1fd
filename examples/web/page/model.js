// The state of the open conversation: stored messages and streamed ones.

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

/** The state after an event. */
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

/** All messages, including incomplete ones. */
export const shown = (model) => [...model.messages, ...model.live];

/** Whether a step is unfinished, for any reason. */
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
