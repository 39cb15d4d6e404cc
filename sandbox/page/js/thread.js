// The thread pane: the message it belongs to, its replies, and a composer of its own.

import { get } from "./api.js";
import { composer } from "./composer.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { MessageList } from "./list.js";
import { channelName, channelOf, move, session } from "./session.js";

const pane = document.getElementById("thread");
let list;
let writer;
let drawn = null;

export function setUpThread(changed) {
  const close = document.getElementById("thread-close");
  close.append(icon("close"));
  close.addEventListener("click", closeThread);
  list = new MessageList({
    scroller: document.getElementById("thread-messages"),
    items: document.getElementById("thread-items"),
    inThread: true,
    changed,
  });
  writer = composer(document.getElementById("thread-composer"), {
    testid: "thread-composer",
    where: () => ({ channel: session.channel, thread_ts: session.thread }),
    sent: changed,
  });
  pane.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    closeThread();
  });
}

export function closeThread() {
  const ts = session.thread;
  move({ thread: null, ts: null });
  document.querySelector(`#message-items [data-ts="${CSS.escape(ts ?? "")}"] [data-focus="replies"]`)?.focus();
}

/** Draws the open thread, or hides the pane. `focus`: it was opened just now. */
export async function showThread() {
  const { user, channel, thread } = session;
  const open = session.place === "channel" && Boolean(thread);
  pane.hidden = !open;
  const key = open ? `${user} ${channel} ${thread}` : null;
  const fresh = key !== drawn;
  drawn = key;
  if (!open) return;
  if (fresh) {
    list.reset();
    const name = channelName(channel);
    replace(document.getElementById("thread-about"), channelOf(channel)?.kind === "dm" ? name : `#${name}`);
    writer.setLabel("Reply…");
  }
  const { messages } = await get("/sandbox/slack/replies", { user, channel, ts: thread });
  if (key !== drawn) return;
  if (messages.length) list.show(messages);
  else replace(document.getElementById("thread-items"), h("p", { class: "empty" }, "This thread is gone."));
  if (fresh) writer.focus();
}
