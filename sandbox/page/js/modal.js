// The person's open modal: drawn from the server's view, kept current while it is open.

import { get, post } from "./api.js";
import { blockNode } from "./blocks/blocks.js";
import { Form } from "./blocks/form.js";
import { h, keyed, replace } from "./dom.js";
import { icon } from "./icons.js";
import { session } from "./session.js";
import { plain } from "./text/mrkdwn.js";

const forms = new Map();
let dialog = null;
let shown = null;

/** Reads the person's view and shows, updates or closes the dialog accordingly. */
export async function refreshView() {
  const { user } = session;
  const { view, stack_depth: depth } = await get("/sandbox/slack/view", { user });
  if (user !== session.user) return;
  if (!view) return close();
  if (shown?.id !== view.id) open(view);
  shown = view;
  draw(view, depth ?? 1);
}

export function close() {
  const closing = dialog;
  shown = null;
  dialog = null;
  closing?.close();
}

function open(view) {
  close();
  const title = h("h2", { id: "view-title", tabindex: -1 });
  const closeButton = h(
    "button",
    { type: "button", class: "bar-button", "aria-label": "Close", onclick: dismiss },
    icon("close"),
  );
  const blocks = h("div", { class: "blocks modal-blocks" });
  const error = h("p", { class: "action-error modal-error", role: "alert" });
  const form = h(
    "form",
    { novalidate: true, onsubmit: submit },
    h("header", {}, title, closeButton),
    blocks,
    error,
    h("footer"),
  );
  dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "view-title", dataset: { testid: "modal", viewId: view.id } },
    form,
  );
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  dialog.addEventListener("close", (event) => {
    event.target.remove();
    // A browser may close a dialog on a second Esc whatever `cancel` says: then the view is closed too.
    if (event.target === dialog) dismiss();
  });
  document.body.append(dialog);
  dialog.showModal();
  title.focus();
}

function draw(view, depth) {
  const first = !dialog.querySelector(".modal-blocks").childElementCount;
  replace(dialog.querySelector("h2"), plain(view.title?.text ?? ""));
  keyed(
    dialog.querySelector(".modal-blocks"),
    view.blocks.map((block, index) => ({ block, index })),
    {
      key: ({ block, index }) => block.block_id ?? index,
      signature: ({ block }) => JSON.stringify(block),
      render: ({ block }) => blockNode(block, contextOf(view)),
    },
  );
  const closeText = view.close?.text ?? (depth > 1 ? "Back" : "Close");
  const cancel = h(
    "button",
    { type: "button", class: "button", dataset: { testid: "modal-close", focus: "close" }, onclick: dismiss },
    closeText,
  );
  const ok =
    view.submit &&
    h(
      "button",
      { type: "submit", class: "button button-primary", dataset: { testid: "modal-submit", focus: "submit" } },
      plain(view.submit.text),
    );
  const footer = dialog.querySelector("footer");
  keyed(footer, [{ closeText, submit: view.submit?.text }], {
    key: () => "buttons",
    render: () => h("div", { class: "footer-buttons" }, cancel, ok),
  });
  // What is decided on stands above the first field; it must be seen first.
  if (first) dialog.querySelector(".modal-blocks :is(input, select, textarea)")?.focus({ preventScroll: true });
}

function formOf(view) {
  if (!forms.has(view.id)) forms.set(view.id, new Form());
  return forms.get(view.id);
}

function contextOf(view) {
  const form = formOf(view);
  return {
    form,
    act: async (block, element, tail) => {
      const state = { values: form.values(shown.blocks) };
      const body = {
        user: session.user,
        view_id: view.id,
        block_id: block.block_id,
        action_id: element.action_id,
        ...tail,
        state,
      };
      await post("/sandbox/slack/view/action", body);
      await refreshView();
    },
    fieldChanged: (block) => showErrors({ [block.block_id]: "" }),
  };
}

async function dismiss() {
  const view = shown;
  if (!view) return;
  try {
    await post("/sandbox/slack/view/close", { user: session.user, view_id: view.id });
  } catch (refused) {
    // A view that the server no longer has needs no closing; anything else is said.
    if (refused.status !== 404 && dialog?.open) return say(refused.message);
  }
  forms.delete(view.id);
  if (!dialog?.open) close();
  await refreshView();
}

async function submit(event) {
  event.preventDefault();
  const view = shown;
  const button = dialog.querySelector("[type=submit]");
  if (!view || button.getAttribute("aria-busy") === "true") return;
  const missing = incomplete(view);
  showErrors(Object.fromEntries(view.blocks.map((block) => [block.block_id, missing[block.block_id] ?? ""])), true);
  say("");
  if (Object.keys(missing).length) return;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await post("/sandbox/slack/view/submit", {
      user: session.user,
      view_id: view.id,
      values: formOf(view).values(view.blocks),
    });
    if (answer.errors) showErrors(answer.errors, true);
    await refreshView();
  } catch (refused) {
    say(refused.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** What the browser can already tell: `{block_id: sentence}` for empty, short or misspelt fields. */
function incomplete(view) {
  const errors = {};
  const values = formOf(view).values(view.blocks);
  for (const block of view.blocks) {
    if (block.type !== "input") continue;
    const { type, ...rest } = values[block.block_id]?.[block.element.action_id] ?? {};
    const [value] = Object.values(rest);
    const empty = value === null || value === undefined || value.length === 0;
    const field = document.getElementById(`f-${block.block_id}`);
    if (empty && !block.optional) errors[block.block_id] = "Please fill this in.";
    else if (!empty && block.element.min_length > value.length)
      errors[block.block_id] = `At least ${block.element.min_length} characters.`;
    else if (field?.validity && !field.validity.valid) errors[block.block_id] = field.validationMessage;
  }
  return errors;
}

function showErrors(errors, focusFirst = false) {
  let target = null;
  for (const [blockId, text] of Object.entries(errors)) {
    const field = document.getElementById(`f-${blockId}`);
    const note = document.getElementById(`f-${blockId}-error`);
    if (!note) {
      if (text) say(text);
      continue;
    }
    replace(note, text);
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    if (text) target ??= field;
  }
  if (focusFirst) target?.focus();
}

function say(text) {
  if (dialog) replace(dialog.querySelector(".modal-error"), text);
}
