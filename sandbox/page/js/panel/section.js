// A part of the panel that folds away and stays as the person left it.

import { h } from "../dom.js";

export function section(title, { open = true, testid }, ...children) {
  const key = `patchgate.panel.${testid}`;
  const saved = localStorage.getItem(key);
  const ontoggle = (event) => localStorage.setItem(key, event.currentTarget.open ? "open" : "closed");
  const isOpen = saved === null ? open : saved === "open";
  return h(
    "details",
    { class: "panel-section", open: isOpen, ontoggle, dataset: { testid } },
    h("summary", {}, h("h3", {}, title)),
    children,
  );
}

/** A labelled field of a small form; `control` needs an id. */
export function field(label, control) {
  return h("div", { class: "mini-field" }, h("label", { for: control.id }, label), control);
}
