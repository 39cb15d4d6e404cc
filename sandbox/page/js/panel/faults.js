// Faults of the simulated AWS: add one, see those that wait, take one away.

import { post, remove } from "../api.js";
import { h, keyed, replace } from "../dom.js";
import { icon } from "../icons.js";
import { field, section } from "./section.js";

const SERVICES = ["ssm", "ec2", "s3", "sts", "iam", "monitoring"];
const OPERATIONS = [
  "*",
  "SendCommand",
  "CancelCommand",
  "ListCommands",
  "ListCommandInvocations",
  "GetCommandInvocation",
  "DescribeInstanceInformation",
  "DescribeInstancePatchStates",
  "DescribeInstancePatches",
  "GetPatchBaseline",
  "DescribeDocument",
  "DescribeMaintenanceWindowSchedule",
  "DescribeInstances",
  "PutObject",
  "AssumeRole",
  "DescribeAlarms",
  "SimulatePrincipalPolicy",
];
const list = h("ul", { class: "faults" });
const kind = h("select", { id: "fault-kind", required: true });
let run;

export function faultsSection(runner) {
  run = runner;
  const service = h(
    "select",
    { id: "fault-service" },
    SERVICES.map((name) => h("option", {}, name)),
  );
  const operation = h("input", {
    id: "fault-operation",
    type: "text",
    list: "fault-operations",
    value: "SendCommand",
    autocomplete: "off",
    required: true,
  });
  const operations = h(
    "datalist",
    { id: "fault-operations" },
    OPERATIONS.map((name) => h("option", { value: name })),
  );
  const times = h("input", { id: "fault-times", type: "number", min: 1, max: 1000, value: "1", required: true });
  const add = h(
    "button",
    { type: "submit", class: "button button-small", dataset: { testid: "fault-add" } },
    "Add the fault",
  );
  const onsubmit = (event) => {
    event.preventDefault();
    const body = {
      service: service.value,
      operation: operation.value.trim(),
      kind: kind.value,
      times: Number(times.value),
    };
    run(() => post("/sandbox/world/faults", body));
  };
  const form = h(
    "form",
    { class: "mini-form", onsubmit, "aria-label": "Add a fault" },
    field("Service", service),
    field("Operation", operation),
    operations,
    field("Kind", kind),
    field("Times", times),
    add,
  );
  return section("Faults", { testid: "panel-faults", open: false }, list, form);
}

export function showFaults({ faults, fault_kinds: kinds }) {
  if (kind.options.length !== kinds.length)
    replace(
      kind,
      kinds.map((name) => h("option", {}, name)),
    );
  const rows = faults.length ? faults : [{ id: 0 }];
  keyed(list, rows, { key: (fault) => fault.id, render: faultNode });
}

function faultNode({ id, service, operation, kind: name, left }) {
  if (id === 0) return h("li", { class: "hint" }, "None: every call is answered as it should be.");
  const onclick = () => run(() => remove(`/sandbox/world/faults/${encodeURIComponent(id)}`));
  const text = `${service}:${operation}`;
  return h(
    "li",
    { dataset: { testid: "fault" } },
    h(
      "span",
      {},
      h("code", {}, text),
      " ",
      h("span", { class: "badge badge-bad" }, name),
      h("span", { class: "hint" }, ` ${left} left`),
    ),
    h(
      "button",
      {
        type: "button",
        class: "bar-button small",
        "aria-label": `Remove the fault ${name} of ${text}`,
        dataset: { focus: "remove" },
        onclick,
      },
      icon("close"),
    ),
  );
}
