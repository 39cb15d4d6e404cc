// A scrolling list of messages: day dividers, runs by one author drawn together, the reader's place kept.

import { h, keyed } from "./dom.js";
import { isDismissed, messageNode } from "./message.js";
import { session, zone } from "./session.js";
import { dateNode } from "./text/dates.js";

const RUN_SECONDS = 300;
const NEAR_BOTTOM = 48;

export class MessageList {
  #scroller;
  #items;
  #pill;
  #changed;
  #inThread;
  #known = new Set();
  #stick = true;

  /** `scroller` scrolls, `items` inside it holds the messages, `pill` (optional) counts what came below. */
  constructor({ scroller, items, pill, inThread = false, changed }) {
    [this.#scroller, this.#items, this.#pill] = [scroller, items, pill];
    [this.#inThread, this.#changed] = [inThread, changed];
    scroller.addEventListener("scroll", () => {
      this.#stick = this.#atBottom();
      if (this.#stick) this.#seen();
    });
    pill?.addEventListener("click", () => this.toBottom());
    new ResizeObserver(() => this.#stick && this.toBottom()).observe(items);
    new ResizeObserver(() => this.#stick && this.toBottom()).observe(scroller);
  }

  /** Another channel or thread: forget what was there and start at the newest message. */
  reset() {
    this.#known.clear();
    this.#stick = true;
    this.#items.replaceChildren();
    this.#items.keyedItems = undefined;
    this.#seen();
  }

  show(messages) {
    const visible = messages.filter((message) => !isDismissed(message));
    const first = this.#known.size === 0;
    const fresh = visible.filter((message) => !this.#known.has(message.ts));
    for (const message of fresh) this.#known.add(message.ts);
    keyed(this.#items, this.#rows(visible), {
      key: (row) => row.key,
      render: (row) => (row.day ? dayNode(row.day) : messageNode(row, this.#changed)),
    });
    if (this.#stick || fresh.some((message) => message.user === session.user)) this.toBottom();
    else if (!first) this.#count(fresh.length);
  }

  toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#stick = true;
    this.#seen();
  }

  /** Scrolls to a message and lights it up for a moment. False: it is not here. */
  reveal(ts) {
    const node = this.#items.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
    if (!node) return false;
    this.#stick = false;
    node.scrollIntoView({ block: "center" });
    node.classList.add("flash");
    node.addEventListener("animationend", () => node.classList.remove("flash"), { once: true });
    return true;
  }

  #rows(messages) {
    const rows = [];
    const dayOf = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone(),
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    let before = null;
    for (const message of messages) {
      const day = dayOf.format(new Date(message.at));
      const newDay = day !== before?.day;
      if (newDay && !this.#inThread) rows.push({ key: `day-${day}`, day: message.at });
      const sameRun =
        before && !newDay && before.message.user === message.user && !message.ephemeral && !before.message.ephemeral;
      const compact = Boolean(sameRun) && Date.parse(message.at) - Date.parse(before.message.at) < RUN_SECONDS * 1000;
      // The reader's zone is part of what is drawn: choosing another person draws the times anew.
      rows.push({ key: message.ts, message, compact, inThread: this.#inThread, zone: zone(), reader: session.user });
      before = { message, day };
    }
    return rows;
  }

  #atBottom() {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight < NEAR_BOTTOM;
  }

  #count(more) {
    if (!this.#pill || !more) return;
    const count = Number(this.#pill.dataset.count ?? 0) + more;
    this.#pill.dataset.count = count;
    this.#pill.querySelector("span").textContent = count === 1 ? "1 new message" : `${count} new messages`;
    this.#pill.hidden = false;
  }

  #seen() {
    if (!this.#pill) return;
    this.#pill.hidden = true;
    this.#pill.dataset.count = 0;
  }
}

function dayNode(at) {
  return h(
    "div",
    { class: "day", role: "separator" },
    dateNode(new Date(at), "{day_divider_pretty}", { atStart: true }),
  );
}
