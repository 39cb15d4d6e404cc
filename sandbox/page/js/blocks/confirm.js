// Asks "are you sure?" in a dialog of the page.

import { h } from "../dom.js";
import { textObject } from "../text/mrkdwn.js";

/** `confirm` is Block Kit's confirm object; resolves to true when the person agrees. */
export function confirmed(confirm) {
  const style = confirm.style === "danger" ? "button button-danger" : "button button-primary";
  const ok = h(
    "button",
    { class: style, value: "yes", dataset: { testid: "confirm-ok" } },
    confirm.confirm?.text ?? "Yes",
  );
  const deny = h(
    "button",
    { class: "button", value: "no", dataset: { testid: "confirm-deny" } },
    confirm.deny?.text ?? "Cancel",
  );
  const title = h("h2", { id: "confirm-title" }, textObject(confirm.title));
  const form = h(
    "form",
    { method: "dialog" },
    title,
    h("div", { class: "text" }, textObject(confirm.text)),
    h("footer", {}, deny, ok),
  );
  const dialog = h(
    "dialog",
    { class: "dialog dialog-small", "aria-labelledby": "confirm-title", dataset: { testid: "confirm" } },
    form,
  );
  document.body.append(dialog);
  dialog.showModal();
  ok.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
