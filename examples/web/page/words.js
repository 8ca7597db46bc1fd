// Formats numbers and times for users.

const NUMBER = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_MS = 86_400_000;

export const timeOf = (moment) => TIME.format(new Date(moment));

/** The time if it is today, otherwise the date. */
export function dayOf(moment) {
  const then = new Date(moment);
  const today = Date.now() - then < DAY_MS && then.getDate() === new Date().getDate();
  return today ? TIME.format(then).slice(0, 5) : DAY.format(then);
}

/** Dollars with two significant digits. */
export function dollars(value) {
  if (value === 0) return "$0";
  return `$${value.toFixed(Math.max(2, Math.ceil(-Math.log10(value)) + 1))}`;
}

export function count(number, noun) {
  return `${NUMBER.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A cost in one line. */
export function costLine(cost, countsUnits) {
  const requests = count(cost.requests, "request");
  if (!countsUnits) return `${requests} (this engine does not count units)`;
  const read = NUMBER.format(cost.read_units);
  const write = NUMBER.format(cost.write_units);
  return `${requests} · ${read} read + ${write} write units · ${dollars(cost.dollars)}`;
}
