// Where a person writes: messages, and slash commands with suggestions and a memory of earlier ones.

import { post } from "./api.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { session } from "./session.js";
import { suggest, usageOf } from "./suggestions.js";

const REMEMBERED = 50;

/**
 * Builds a composer into `form`. `where()` → `{channel, thread_ts?}`; `sent()` is called after the server
 * took it. Returns `{focus, setLabel}`.
 */
export function composer(form, { testid, where, sent }) {
  const listId = `${testid}-suggestions`;
  const list = h("ul", {
    id: listId,
    class: "suggestions",
    role: "listbox",
    "aria-label": "Suggestions",
    hidden: true,
  });
  const field = h("textarea", {
    rows: 1,
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    autocomplete: "off",
    spellcheck: "true",
    dataset: { testid },
  });
  const button = h(
    "button",
    { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)" },
    icon("send"),
  );
  const status = h("div", { class: "composer-status", role: "status" });
  const error = h("div", { class: "composer-error", role: "alert", dataset: { testid: `${testid}-error` } });
  replace(form, list, h("div", { class: "composer-box" }, field, button), error, status);

  let offered = [];
  let active = -1;
  let recalled = -1;
  let pending = 0;

  function offer() {
    offered = suggest(field.value);
    active = -1;
    list.hidden = offered.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
    replace(
      list,
      offered.map((each, index) => suggestionNode(each, index)),
    );
    const usage = field.value.startsWith("/") ? usageOf(field.value) : "";
    if (!pending) replace(status, usage && h("span", { class: "usage" }, usage));
  }
  function suggestionNode({ label, hint }, index) {
    const onmousedown = (event) => {
      event.preventDefault();
      take(index);
    };
    const props = { id: `${listId}-${index}`, role: "option", "aria-selected": "false", onmousedown };
    return h("li", props, h("span", { class: "suggestion-label" }, label), hint && h("span", { class: "hint" }, hint));
  }
  function highlight(next) {
    active = (next + offered.length) % offered.length;
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", `${listId}-${active}`);
  }
  function take(index) {
    put(offered[index].insert);
    offer();
  }
  function put(text) {
    field.value = text;
    field.setSelectionRange(text.length, text.length);
    grow();
  }
  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
  }
  function closeSuggestions() {
    offered = [];
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  }
  function recall(step) {
    const commands = remembered();
    const next = recalled + step;
    if (next < -1 || next >= commands.length) return;
    recalled = next;
    put(next < 0 ? "" : commands[next]);
    closeSuggestions();
  }

  async function submit() {
    const text = field.value.trim();
    if (!text) return;
    closeSuggestions();
    replace(error);
    replace(status, "Sending…");
    pending += 1;
    // Cleared at once, so that a person can go on writing; a refused text comes back if nothing new was written.
    put("");
    recalled = -1;
    const refusal = await deliver(text, where());
    pending -= 1;
    if (!pending) replace(status);
    if (refusal) {
      replace(error, refusal);
      if (!field.value) put(text);
    }
    sent();
  }

  field.addEventListener("input", () => {
    recalled = -1;
    replace(error);
    grow();
    offer();
  });
  field.addEventListener("blur", closeSuggestions);
  field.addEventListener("keydown", (event) => {
    const open = !list.hidden && offered.length > 0;
    const recalling = field.value === "" || recalled >= 0;
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      if (open && active >= 0) take(active);
      else submit();
    } else if (event.key === "Tab" && open && !event.shiftKey) take(Math.max(active, 0));
    else if (event.key === "Escape" && open) closeSuggestions();
    else if (event.key === "ArrowUp" && recalling) recall(1);
    else if (event.key === "ArrowDown" && recalled >= 0) recall(-1);
    else if (event.key === "ArrowUp" && open) highlight(active < 0 ? offered.length - 1 : active - 1);
    else if (event.key === "ArrowDown" && open) highlight(active + 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return {
    focus: () => field.focus(),
    setLabel: (label) => {
      field.setAttribute("aria-label", label);
      field.placeholder = label;
      replace(error);
    },
  };
}

/** Sends a message or a command (which Slack refuses in a thread); resolves to the sentence of a refusal, or null. */
async function deliver(text, { channel, thread_ts }) {
  const from = { user: session.user, channel, text };
  try {
    if (!text.startsWith("/")) {
      await post("/sandbox/slack/message", thread_ts ? { ...from, thread_ts } : from);
      return null;
    }
    remember(text);
    await post("/sandbox/slack/command", thread_ts ? { ...from, thread_ts } : from);
    return null;
  } catch (refused) {
    return refused.message;
  }
}

const memoryKey = () => `patchgate.commands.${session.user}`;
const remembered = () => JSON.parse(sessionStorage.getItem(memoryKey()) ?? "[]");

function remember(text) {
  const others = remembered().filter((each) => each !== text);
  sessionStorage.setItem(memoryKey(), JSON.stringify([text, ...others].slice(0, REMEMBERED)));
}
