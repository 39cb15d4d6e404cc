// The simulated fleet: applications that fold, their environments, a line for each node.

import { post } from "../api.js";
import { h, keyed } from "../dom.js";
import { icon } from "../icons.js";
import { menuButton } from "../menu.js";
import { section } from "./section.js";

const body = h("div", { class: "fleet" });
let run;

export function fleetSection(runner) {
  run = runner;
  return section("Fleet", { testid: "panel-fleet" }, body);
}

export function showFleet({ applications }) {
  keyed(body, applications, {
    key: (application) => application.name,
    signature: () => "",
    render: (application) => applicationNode(application.name),
  });
  applications.forEach((application, index) => {
    const node = body.children[index];
    const nodes = application.environments.flatMap((environment) => environment.nodes);
    keyed(node.querySelector(".fleet-summary"), nodes, {
      key: ({ id }) => id,
      signature: (each) => statusOf(each).join(),
      render: dot,
    });
    keyed(node.querySelector(".fleet-nodes"), application.environments.flatMap(rowsOf), {
      key: (row) => row.key,
      render: rowNode,
    });
  });
}

function applicationNode(name) {
  const summary = h("summary", {}, h("h4", {}, name), h("span", { class: "fleet-summary" }));
  return h("details", { class: "fleet-app", open: true }, summary, h("div", { class: "fleet-nodes" }));
}

function rowsOf({ nodes, ...environment }) {
  return [{ key: environment.name, environment }, ...nodes.map((node) => ({ key: node.id, node }))];
}

function rowNode({ environment, node }) {
  return environment ? environmentNode(environment) : nodeRow(node);
}

function environmentNode({ name, account, region, production }) {
  const badge = production && h("span", { class: "badge badge-prod" }, "production");
  return h(
    "div",
    { class: "fleet-env" },
    h("span", { class: "fleet-env-name" }, name),
    badge,
    h("span", { class: "hint" }, `${account} · ${region}`),
  );
}

function nodeRow(node) {
  return h(
    "div",
    { class: "node", dataset: { testid: "node", node: node.id } },
    dot(node),
    h("span", { class: "node-name", title: `${node.id} · ${node.platform}` }, node.name),
    h(
      "span",
      { class: "node-signs" },
      node.running && h("span", { class: "badge badge-run" }, node.running),
      node.power === "running" && node.agent !== "online" && h("span", { class: "badge badge-warn" }, node.agent),
      node.power !== "running" && h("span", { class: "badge" }, node.power),
      Boolean(node.pending_reboot) && h("span", { class: "badge badge-warn" }, "reboot pending"),
      node.failing.map((name) =>
        h("span", { class: "badge badge-bad", title: `${name} fails to install on this node` }, `fails: ${name}`),
      ),
      h(
        "span",
        { class: node.missing ? "count" : "count count-none", title: `${node.missing} patches missing` },
        String(node.missing),
        h("span", { class: "visually-hidden" }, " missing"),
      ),
    ),
    actions(node),
  );
}

function dot(node) {
  const [status, words] = statusOf(node);
  return h("span", { class: `dot dot-${status}`, role: "img", "aria-label": words, title: words });
}

/** `[class, words]`; `power` is running, stopped or terminated, `agent` online, rebooting, lost or silent. */
function statusOf({ power, agent }) {
  if (power !== "running") return ["off", `The node is ${power}`];
  return agent === "online" ? ["ok", "Running, agent online"] : ["lost", `Running, agent ${agent}`];
}

function actions(node) {
  if (node.power === "terminated") return null;
  const ask = (change) => () => run(() => post(`/sandbox/world/nodes/${encodeURIComponent(node.id)}`, change));
  const items = [
    node.power === "stopped"
      ? { label: "Start the node", choose: ask({ power: "start" }) }
      : { label: "Stop the node", choose: ask({ power: "stop" }) },
    ...(["lost", "silent"].includes(node.agent)
      ? [{ label: "Bring the agent back", choose: ask({ agent: "back" }) }]
      : [
          { label: "Lose the agent", choose: ask({ agent: "lost" }) },
          { label: "Silence the agent", choose: ask({ agent: "silent" }) },
        ]),
  ];
  return menuButton(
    { class: "bar-button small", "aria-label": `Actions for ${node.name}`, dataset: { focus: "menu" } },
    icon("more"),
    items,
  );
}
