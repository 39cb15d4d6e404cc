// What somebody else does behind the bot's back: an operation on a node, a window that installs.

import { post } from "../api.js";
import { h, replace } from "../dom.js";
import { field, section } from "./section.js";

const node = h("select", { id: "foreign-node" });
let drawn = "";

export function foreignSection(run) {
  const operation = h(
    "select",
    { id: "foreign-operation" },
    ["Install", "Scan"].map((name) => h("option", {}, name)),
  );
  const onsubmit = (event) => {
    event.preventDefault();
    run(() => post("/sandbox/world/foreign", { node: node.value, operation: operation.value }));
  };
  const start = h(
    "button",
    { type: "submit", class: "button button-small", dataset: { testid: "foreign-start" } },
    "Run it",
  );
  const onclick = () => run(() => post("/sandbox/world/install-windows", { node: node.value }));
  const weekly = h(
    "button",
    {
      type: "button",
      class: "button button-small",
      title: "A maintenance window over the node's environment that installs every Sunday and asks nobody",
      dataset: { testid: "foreign-window" },
      onclick,
    },
    "Add a window that installs",
  );
  const form = h(
    "form",
    { class: "mini-form", onsubmit, "aria-label": "Somebody else's operation" },
    field("Node", node),
    field("Operation", operation),
    start,
    weekly,
  );
  return section("Somebody else's operation", { testid: "panel-foreign", open: false }, form);
}

export function showForeign({ applications }) {
  const nodes = applications.flatMap((application) =>
    application.environments.flatMap((environment) => environment.nodes),
  );
  const names = nodes.map(({ id, name }) => `${id} ${name}`).join();
  if (names === drawn) return;
  drawn = names;
  const chosen = node.value;
  replace(
    node,
    nodes.map(({ id, name }) => h("option", { value: id, selected: id === chosen }, name)),
  );
}
