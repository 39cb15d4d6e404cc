// The sandbox's clock: what time it is there, how fast it runs, and jumps ahead.

import { post } from "../api.js";
import { now, rate } from "../clock.js";
import { h, replace } from "../dom.js";
import { zone } from "../session.js";
import { clockFace, refreshDates } from "../text/dates.js";
import { section } from "./section.js";

const RATES = [0, 1, 10, 60, 600];
const JUMPS = [
  ["1h", "+ 1 hour", { jump_seconds: 3600 }],
  ["1d", "+ 1 day", { jump_seconds: 86_400 }],
  ["8d", "+ 8 days", { jump_seconds: 8 * 86_400 }],
  ["window", "To production's next window", { jump_to: "window" }],
];
const face = h("div", { class: "clock-face", dataset: { testid: "clock" } });
const buttons = new Map();

export function clockSection(run) {
  const rates = RATES.map((value) => {
    const onclick = () => run(() => post("/sandbox/world/clock", { rate: value }));
    const label = value === 0 ? "Stop the clock" : `${value} times as fast as real time`;
    const button = h(
      "button",
      { type: "button", title: label, "aria-label": label, dataset: { testid: `rate-${value}` }, onclick },
      `×${value}`,
    );
    buttons.set(value, button);
    return button;
  });
  const jumps = JUMPS.map(([id, text, body]) => {
    const onclick = () =>
      run(async () => {
        await post("/sandbox/world/clock", body);
        refreshDates();
      });
    return h(
      "button",
      { type: "button", class: "button button-small", dataset: { testid: `jump-${id}` }, onclick },
      text,
    );
  });
  return section(
    "Clock",
    { testid: "panel-clock" },
    face,
    h("div", { class: "segments", role: "group", "aria-label": "Speed" }, rates),
    h("div", { class: "button-row", role: "group", "aria-label": "Jump ahead" }, jumps),
  );
}

export function showClock() {
  const utc = clockFace(now(), "UTC");
  const own = clockFace(now(), zone());
  replace(
    face,
    h("span", { class: "clock-time" }, utc.time, h("span", { class: "unit" }, " UTC")),
    h("span", { class: "clock-day" }, utc.day),
    h(
      "span",
      { class: "clock-own" },
      `${own.time.slice(0, 5)} in ${zone().split("/").at(-1).replaceAll("_", " ")}${own.day === utc.day ? "" : `, ${own.day}`}`,
    ),
  );
  for (const [value, button] of buttons) button.setAttribute("aria-pressed", String(value === rate()));
}
