// What the simulated SSM was asked, as it happens.

import { get } from "../api.js";
import { h, keyed } from "../dom.js";
import { section } from "./section.js";

const KEPT = 300;
const READ = /^(Describe|List|Get)/;
const tail = h("ol", { class: "log", tabindex: 0, "aria-label": "Calls to SSM", dataset: { testid: "ssm-log" } });
const reads = h("input", { type: "checkbox", onchange: draw });
let rows = [];
let last = 0;

export function logSection() {
  return section(
    "SSM log",
    { testid: "panel-log" },
    h("label", { class: "choice" }, reads, h("span", {}, "Show reads too")),
    tail,
  );
}

/** Fetches what came after the last row seen. */
export async function refreshLog() {
  const fresh = await get("/sandbox/world/log", { after: last });
  last = fresh.at(-1)?.number ?? last;
  rows = [...rows, ...fresh].slice(-KEPT);
  draw();
}

function draw() {
  const atEnd = tail.scrollHeight - tail.scrollTop - tail.clientHeight < 24;
  const shown = rows.filter((row) => reads.checked || !READ.test(row.operation) || row.outcome !== "ok");
  const empty = { number: 0, note: rows.length ? "Only reads so far." : "Nothing was asked yet." };
  keyed(tail, shown.length ? shown : [empty], { key: (row) => row.number, render: rowNode });
  if (atEnd) tail.scrollTop = tail.scrollHeight;
}

function rowNode(row) {
  if (row.note) return h("li", { class: "hint" }, row.note);
  const bad = row.outcome !== "ok" && h("span", { class: "badge badge-bad" }, row.outcome);
  const summary = h(
    "summary",
    {},
    h("span", { class: "log-at" }, row.at.slice(11, 19)),
    h("span", { class: READ.test(row.operation) ? "log-read" : "log-write" }, row.operation),
    h("span", { class: "hint" }, subject(row)),
    bad,
  );
  const details = {
    account: row.account,
    region: row.region,
    command_id: row.command_id ?? undefined,
    params: row.params,
  };
  return h("li", {}, h("details", {}, summary, h("pre", {}, JSON.stringify(details, null, 2))));
}

/** The two words that tell one call from another: what is done, to how many nodes. */
function subject({ params = {} }) {
  const operation = params.Parameters?.Operation?.[0];
  const nodes = params.InstanceIds?.length ?? (params.InstanceId ? 1 : 0);
  return [operation, nodes && (nodes === 1 ? "1 node" : `${nodes} nodes`)].filter(Boolean).join(", ");
}
