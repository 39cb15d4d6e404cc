// One native control for each kind of input element: keyboard and screen readers get what they know.
//
// A control is `build(element, value, change, labels)`: `value` is in the state's shape (see form.js),
// `change(value)` reports a new one, `labels` are the attributes that name and describe the control.

import { h } from "../dom.js";
import { textObject } from "../text/mrkdwn.js";
import { channelName, workspace } from "../session.js";

const MANY_OPTIONS = 8;

const CONTROLS = {
  plain_text_input: textInput,
  number_input: (element, value, change, labels) =>
    typed("number", element, value, change, {
      ...labels,
      min: element.min_value,
      max: element.max_value,
      step: element.is_decimal_allowed ? "any" : 1,
    }),
  email_text_input: (element, value, change, labels) => typed("email", element, value, change, labels),
  url_text_input: (element, value, change, labels) => typed("url", element, value, change, labels),
  datepicker: (element, value, change, labels) => picker("date", value, change, labels),
  timepicker: (element, value, change, labels) => picker("time", value, change, labels),
  datetimepicker,
  static_select: staticSelect,
  users_select: (element, value, change, labels) => idSelect(element, value, change, labels, people()),
  channels_select: (element, value, change, labels) => idSelect(element, value, change, labels, channels()),
  conversations_select: (element, value, change, labels) => idSelect(element, value, change, labels, channels()),
  radio_buttons: (element, value, change, labels) =>
    choices("radio", element.options, value ? [value.value] : [], (chosen) => change(chosen[0] ?? null), labels),
  checkboxes: (element, value, change, labels) =>
    choices(
      "checkbox",
      element.options,
      value.map((option) => option.value),
      change,
      labels,
    ),
  multi_static_select: (element, value, change, labels) =>
    choices(
      "checkbox",
      allOptions(element),
      value.map((option) => option.value),
      change,
      labels,
    ),
  multi_users_select: (element, value, change, labels) =>
    choices("checkbox", people(), value, (chosen) => change(chosen.map((option) => option.value)), labels),
};

export function control(element, value, change, labels) {
  return CONTROLS[element.type](element, value, change, labels);
}

function textInput(element, value, change, labels) {
  const props = {
    ...labels,
    value: value ?? "",
    placeholder: element.placeholder?.text,
    minlength: element.min_length,
    maxlength: element.max_length ?? 3000,
    autocomplete: "off",
    oninput: (event) => change(event.target.value || null),
  };
  return element.multiline ? h("textarea", { ...props, rows: 4 }) : h("input", { ...props, type: "text" });
}

function typed(type, element, value, change, labels) {
  const oninput = (event) => change(event.target.value || null);
  return h("input", { ...labels, type, value: value ?? "", placeholder: element.placeholder?.text, oninput });
}

function picker(type, value, change, labels) {
  return h("input", { ...labels, type, value: value ?? "", onchange: (event) => change(event.target.value || null) });
}

/** Slack's value is epoch seconds; the control shows UTC, which it says. */
function datetimepicker(element, value, change, labels) {
  const shown = value ? new Date(value * 1000).toISOString().slice(0, 16) : "";
  const onchange = (event) => change(event.target.value ? Date.parse(`${event.target.value}Z`) / 1000 : null);
  const input = h("input", { ...labels, type: "datetime-local", value: shown, onchange });
  return h("span", { class: "with-unit" }, input, h("span", { class: "unit" }, "UTC"));
}

function staticSelect(element, value, change, labels) {
  const options = allOptions(element);
  const node = (option) =>
    h("option", { value: option.value, selected: option.value === value?.value }, option.text.text);
  const groups = (element.option_groups ?? []).map((group) =>
    h("optgroup", { label: group.label.text }, group.options.map(node)),
  );
  const onchange = (event) => change(options.find((option) => option.value === event.target.value) ?? null);
  return h("select", { ...labels, onchange }, hollow(element, value), groups.length ? groups : options.map(node));
}

function idSelect(element, value, change, labels, options) {
  const nodes = options.map((option) =>
    h("option", { value: option.value, selected: option.value === value }, option.text.text),
  );
  return h(
    "select",
    { ...labels, onchange: (event) => change(event.target.value || null) },
    hollow(element, value),
    nodes,
  );
}

function hollow(element, value) {
  return h("option", { value: "", selected: !value }, element.placeholder?.text ?? "Choose…");
}

/** Radio buttons or checkboxes in a group; a long list gets a filter. `change` receives the chosen options. */
function choices(type, options, chosenValues, change, { id, ...labels }) {
  const chosen = new Set(chosenValues);
  const name = `${id}-choice`;
  const report = (event, option) => {
    if (type === "radio") chosen.clear();
    if (event.target.checked) chosen.add(option.value);
    else chosen.delete(option.value);
    change(options.filter((each) => chosen.has(each.value)));
  };
  const rows = options.map((option) => {
    const onchange = (event) => report(event, option);
    const box = h("input", { type, name, value: option.value, checked: chosen.has(option.value), onchange });
    const description = option.description && h("span", { class: "hint" }, textObject(option.description));
    return h("label", { class: "choice" }, box, h("span", {}, textObject(option.text), description));
  });
  const role = type === "radio" ? "radiogroup" : "group";
  const list = h("div", { class: rows.length > MANY_OPTIONS ? "choices choices-many" : "choices" }, rows);
  return h("div", { ...labels, id, role, tabindex: -1 }, rows.length > MANY_OPTIONS && filterOf(rows), list);
}

function filterOf(rows) {
  const oninput = (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  };
  return h("input", {
    type: "search",
    class: "choice-filter",
    placeholder: "Filter…",
    "aria-label": "Filter the options",
    oninput,
  });
}

const allOptions = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);
const asOption = (value, text) => ({ value, text: { type: "plain_text", text } });
const people = () => workspace.users.filter((user) => !user.is_bot).map((user) => asOption(user.id, user.real_name));
const channels = () => workspace.channels.map((channel) => asOption(channel.id, `#${channelName(channel.id)}`));
