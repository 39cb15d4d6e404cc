// The simulated fleet, by application and environment, a line for each node.

import { post } from "../api.js";
import { h, keyed } from "../dom.js";
import { menuButton } from "../menu.js";
import { icon } from "../icons.js";
import { section } from "./section.js";

const body = h("div", { class: "fleet" });
let run;

export function fleetSection(runner) {
  run = runner;
  return section("Fleet", { testid: "panel-fleet" }, body);
}

export function showFleet({ applications }) {
  const rows = applications.flatMap((application) => [
    { key: application.name, title: application.name },
    ...application.environments.flatMap((environment) => [
      { key: `${application.name}/${environment.name}`, environment: { ...environment, nodes: environment.nodes.length } },
      ...environment.nodes.map((node) => ({ key: node.id, node })),
    ]),
  ]);
  keyed(body, rows, { key: (row) => row.key, render: rowNode });
}

function rowNode({ title, environment, node }) {
  if (title) return h("h4", { class: "fleet-app" }, title);
  return environment ? environmentNode(environment) : nodeRow(node);
}

function environmentNode({ name, account, region, production }) {
  const badge = production && h("span", { class: "badge badge-prod" }, "production");
  return h("div", { class: "fleet-env" }, h("span", { class: "fleet-env-name" }, name), badge, h("span", { class: "hint" }, `${account} · ${region}`));
}

function nodeRow(node) {
  const [status, words] = statusOf(node);
  const running = node.running && h("span", { class: "badge badge-run" }, runningText(node.running));
  const data = { testid: "node", node: node.id };
  return h("div", { class: "node", dataset: data },
    h("span", { class: `dot dot-${status}`, role: "img", "aria-label": words, title: words }),
    h("span", { class: "node-name", title: `${node.id} · ${node.platform}` }, node.name),
    h("span", { class: "node-signs" },
      running,
      Boolean(node.pending_reboot) && h("span", { class: "badge badge-warn" }, "reboot pending"),
      node.failing.map((name) => h("span", { class: "badge badge-bad", title: `${name} fails to install on this node` }, `fails: ${name}`)),
      h("span", { class: node.missing ? "count" : "count count-none", title: `${node.missing} patches missing` }, String(node.missing), h("span", { class: "visually-hidden" }, " missing")),
    ),
    actions(node),
  );
}

function statusOf({ power, agent }) {
  const up = /^(running|on|started?)$/i.test(power);
  if (!up) return ["off", `Power: ${power}`];
  const online = /^(online|back|ok|true)$/i.test(String(agent));
  return online ? ["ok", "Running, agent online"] : ["lost", `Running, agent: ${agent}`];
}

const runningText = (running) => (typeof running === "string" ? running : (running.operation ?? "running"));

function actions(node) {
  const [status] = statusOf(node);
  const ask = (change) => () => run(() => post(`/sandbox/world/nodes/${encodeURIComponent(node.id)}`, change));
  const items = [
    status === "off" ? { label: "Start the node", choose: ask({ power: "start" }) } : { label: "Stop the node", choose: ask({ power: "stop" }) },
    status === "lost" ? { label: "Bring the agent back", choose: ask({ agent: "back" }) } : { label: "Lose the agent", choose: ask({ agent: "lost" }) },
  ];
  return menuButton({ class: "bar-button small", "aria-label": `Actions for ${node.name}`, dataset: { focus: "menu" } }, icon("more"), items);
}
