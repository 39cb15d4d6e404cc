// Ctrl/Cmd+K: go to a channel, a person or a place by typing part of its name.

import { h, replace } from "./dom.js";
import { channelName, isUnread, move, workspace } from "./session.js";

let open = false;

export function openSwitcher() {
  if (open) return;
  open = true;
  const field = h("input", {
    type: "text",
    class: "switcher-field",
    placeholder: "Go to…",
    role: "combobox",
    "aria-label": "Go to a channel",
    "aria-expanded": "true",
    "aria-controls": "switcher-list",
    autocomplete: "off",
    dataset: { testid: "switcher" },
  });
  const list = h("ul", { id: "switcher-list", role: "listbox", class: "switcher-list", "aria-label": "Places" });
  const dialog = h("dialog", { class: "dialog switcher", "aria-label": "Go to a channel" }, field, list);
  let found = [];
  let active = 0;

  function show() {
    const wanted = field.value.trim().toLowerCase().replace(/^[#@]/, "");
    found = places().filter((place) => place.name.toLowerCase().includes(wanted));
    active = Math.min(active, Math.max(found.length - 1, 0));
    replace(list, found.length ? found.map(row) : h("li", { class: "hint" }, "Nothing has this name."));
    field.setAttribute("aria-activedescendant", `switch-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }
  function row(place, index) {
    const props = {
      id: `switch-${index}`,
      role: "option",
      "aria-selected": String(index === active),
      onclick: () => go(place),
    };
    return h("li", props, place.label, place.unread && h("span", { class: "nav-dot" }));
  }
  function go(place) {
    dialog.close();
    move({ thread: null, ts: null, ...place.to });
  }
  field.addEventListener("input", () => {
    active = 0;
    show();
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      active = (active + step + found.length) % found.length;
      show();
    } else if (event.key === "Enter" && found[active]) go(found[active]);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    open = false;
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  show();
  field.focus();
}

function places() {
  const channels = workspace.channels.map((channel) => ({
    name: channelName(channel.id),
    label: channel.kind === "dm" ? channelName(channel.id) : `#${channelName(channel.id)}`,
    unread: isUnread(channel),
    to: { place: "channel", channel: channel.id },
  }));
  const around = [
    ["Patchgate Home", "home"],
    ["Mail", "mail"],
  ].map(([name, place]) => ({ name, label: name, to: { place } }));
  return [...channels.sort((one, other) => Number(other.unread) - Number(one.unread)), ...around];
}
