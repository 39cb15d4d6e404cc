// Times as a reader sees them: in the reader's zone, "today" and "yesterday" by the sandbox's clock.

import { now } from "../clock.js";
import { h } from "../dom.js";
import { zone } from "../session.js";

const TOKENS = {
  date_num: (at) => fmt(at, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA"),
  date: (at) => ordinal(at, fmt(at, { month: "long" }), fmt(at, { year: "numeric" })),
  date_slash: (at) => fmt(at, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-US"),
  date_short: (at) => fmt(at, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (at) => `${fmt(at, { weekday: "long" })}, ${TOKENS.date(at)}`,
  date_pretty: (at) => relativeDay(at) ?? TOKENS.date(at),
  date_short_pretty: (at) => relativeDay(at) ?? TOKENS.date_short(at),
  date_long_pretty: (at) => relativeDay(at) ?? TOKENS.date_long(at),
  day_divider_pretty: (at) => relativeDay(at) ?? TOKENS.date_long(at),
  time: (at) => fmt(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  time_secs: (at) => fmt(at, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  ago: (at) => ago(at),
};

/** Slack's date format, for example `{date_short_pretty} at {time}`; unknown tokens stay as written. */
function formatDate(at, format, { atStart = false } = {}) {
  const text = format.replace(/\{(\w+)\}/g, (whole, token) => TOKENS[token]?.(at) ?? whole);
  return atStart ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** A `<time>` that `refreshDates` keeps true as the sandbox's clock moves; `atStart`: it begins a line. */
export function dateNode(at, format, { fallback = "", atStart = false } = {}) {
  if (Number.isNaN(at.getTime())) return document.createTextNode(fallback);
  const data = { format, atStart: atStart ? "true" : undefined };
  return h(
    "time",
    { datetime: at.toISOString(), dataset: data, title: fullTime(at) },
    formatDate(at, format, { atStart }),
  );
}

/** Brings "today", "yesterday" and "5 minutes ago" up to date everywhere, after time has passed or jumped. */
export function refreshDates() {
  for (const node of document.querySelectorAll("time[data-format]")) {
    const { format, atStart } = node.dataset;
    const text = formatDate(new Date(node.dateTime), format, { atStart: Boolean(atStart) });
    if (node.textContent !== text) node.textContent = text;
  }
}

export const timeOfDay = (at) => TOKENS.time(at);
export const fullTime = (at) => `${formatDate(at, "{date_long} {time_secs}")} (${zone()})`;

/** `Fri 20 Nov 2026, 09:00:04` in `timeZone`. */
export function clockFace(at, timeZone) {
  const day = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return {
    day: new Intl.DateTimeFormat("en-GB", { timeZone, ...day }).format(at).replace(",", ""),
    time: new Intl.DateTimeFormat("en-GB", { timeZone, ...time }).format(at),
  };
}

/** "in 3 days", "4 minutes ago". */
export function ago(at) {
  const seconds = (at - now()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ]) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return Math.abs(seconds) < 1 ? "now" : words.format(Math.round(seconds), "second");
}

function fmt(at, options, locale = "en-US") {
  return new Intl.DateTimeFormat(locale, { timeZone: zone(), ...options }).format(at);
}

function ordinal(at, month, year) {
  const day = Number(fmt(at, { day: "numeric" }));
  const suffix = day % 100 >= 11 && day % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th");
  return `${month} ${day}${suffix}, ${year}`;
}

function relativeDay(at) {
  const day = (moment) => Date.parse(`${fmt(moment, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA")}Z`);
  const days = Math.round((day(at) - day(now())) / 86_400_000);
  return { 0: "today", 1: "tomorrow", "-1": "yesterday" }[days];
}
