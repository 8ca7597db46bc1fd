// Requests to the server. Errors have a text for users.

/** An error response, or none. `lost` if it is unknown whether the request took effect. */
export class AskError extends Error {
  constructor(text, { status = 0, lost = false } = {}) {
    super(text);
    this.status = status;
    this.lost = lost;
  }
}

async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new AskError("The server did not answer.", { lost: true });
  }
  if (answer.ok) return answer.status === 200 ? answer.json() : null;
  throw new AskError(await reason(answer), { status: answer.status });
}

async function reason(answer) {
  const said = await answer.json().catch(() => ({}));
  if (typeof said.detail === "string") return said.detail;
  if (Array.isArray(said.detail)) return said.detail.map((one) => one.msg).join("; ");
  return `The server answered ${answer.status}.`;
}

const at = (place) => `/api/${place.user}/conversations/${place.conversation}`;
const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value));

export const about = () => ask("GET", "/api/about");
export const endProcess = (process) => ask("POST", `/api/end?${query({ process })}`);
export const list = (user, wanted) => ask("GET", `/api/${user}/conversations?${query(wanted)}`);
export const history = (place, before) => ask("GET", `${at(place)}/history?${query({ before })}`);
export const checkpoint = (place, id) => ask("GET", `${at(place)}/checkpoints/${id}`);
export const say = (place, message) => ask("POST", `${at(place)}/messages`, message);
export const answer = (place, given) => ask("POST", `${at(place)}/answers`, given);
export const goOn = (place, id) => ask("POST", `${at(place)}/continuations`, { checkpoint: id });
export const rename = (place, title) => ask("PATCH", at(place), { title });
export const remove = (place) => ask("DELETE", at(place));

export const eventsAt = (user, conversation) => `/api/${user}/events?${query({ conversation })}`;
