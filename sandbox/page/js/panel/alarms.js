// CloudWatch alarms of the simulated accounts: which are on, and putting one on or off.

import { post } from "../api.js";
import { h, keyed } from "../dom.js";
import { section } from "./section.js";

const list = h("ul", { class: "alarms" });
let run;

export function alarmsSection(runner) {
  run = runner;
  return section("Alarms", { testid: "panel-alarms", open: false }, list);
}

export function showAlarms({ alarms }) {
  const rows = alarms.length ? alarms : [{ name: "" }];
  keyed(list, rows, { key: ({ name, account, region }) => [name, account, region].join(), render: alarmNode });
}

function alarmNode({ name, account, region, state }) {
  if (!name) return h("li", { class: "hint" }, "No application of this fleet has an alarm.");
  const next = state === "ALARM" ? "OK" : "ALARM";
  const onclick = () => run(() => post("/sandbox/world/alarms", { name, account, region, state: next }));
  return h(
    "li",
    { dataset: { testid: "alarm", alarm: name, account } },
    h(
      "span",
      {},
      h("code", {}, name),
      " ",
      h("span", { class: state === "ALARM" ? "badge badge-bad" : "badge" }, state),
      h("span", { class: "hint" }, ` ${account} · ${region}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button button-small",
        "aria-label": `Put ${name} of ${account} to ${next}`,
        dataset: { testid: "alarm-set", focus: "set" },
        onclick,
      },
      next === "ALARM" ? "Raise" : "Clear",
    ),
  );
}
