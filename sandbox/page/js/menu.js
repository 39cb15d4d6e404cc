// A button with a menu: arrows move, Enter chooses, Esc or leaving closes.

import { h } from "./dom.js";

/** `items`: `{label, choose(button)}`. */
export function menuButton(props, content, items) {
  const button = h("button", { type: "button", ...props, "aria-haspopup": "menu", "aria-expanded": "false" }, content);
  const entries = items.map((item) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        tabindex: -1,
        onclick: () => {
          close();
          button.focus();
          item.choose(button);
        },
      },
      item.label,
    ),
  );
  const menu = h("div", { class: "menu", role: "menu", hidden: true }, entries);
  const wrapper = h("span", { class: "menu-wrap" }, button, menu);

  function close() {
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
  }
  button.addEventListener("click", () => {
    if (!menu.hidden) return close();
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    menu.classList.toggle("menu-up", menu.getBoundingClientRect().bottom > innerHeight - 8);
    menu.classList.toggle("menu-left", menu.getBoundingClientRect().right > innerWidth - 8);
    entries[0]?.focus();
  });
  wrapper.addEventListener("focusout", (event) => {
    if (!wrapper.contains(event.relatedTarget)) close();
  });
  wrapper.addEventListener("keydown", (event) => {
    if (menu.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      close();
      button.focus();
    } else if (step) {
      entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length].focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return wrapper;
}
