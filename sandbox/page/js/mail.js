// The SMTP sandbox's inbox: every mail that the bot sent, newest first.

import { get } from "./api.js";
import { h, keyed, replace } from "./dom.js";
import { dateNode } from "./text/dates.js";
import { inline } from "./text/mrkdwn.js";

const SEEN = "patchgate.mail.seen";
let mails = [];

/** Reads the inbox anew. */
export async function readMail() {
  ({ mails } = await get("/sandbox/mail"));
}

export const unreadMail = () => Math.max(0, mails.length - Number(sessionStorage.getItem(SEEN) ?? 0));

/** Draws the inbox and counts all of it as seen. */
export function showMail(place) {
  sessionStorage.setItem(SEEN, String(mails.length));
  if (!mails.length) {
    place.keyedItems = undefined;
    replace(place, h("p", { class: "empty" }, "No mail yet. What Patchgate sends to owners' addresses arrives here."));
    return;
  }
  place.querySelector(":scope > .empty")?.remove();
  const numbered = mails.map((mail, number) => ({ ...mail, number })).reverse();
  keyed(place, numbered, { key: (mail) => mail.number, render: mailNode });
}

function mailNode(mail) {
  const facts = h("span", { class: "mail-facts" }, `${mail.from} → ${[mail.to].flat().join(", ")}`);
  const at = h(
    "span",
    { class: "mail-at" },
    dateNode(new Date(mail.at), "{date_short_pretty} {time}", { atStart: true }),
  );
  const summary = h(
    "summary",
    { dataset: { focus: `mail-${mail.number}` } },
    h("span", { class: "mail-subject" }, mail.subject),
    at,
    facts,
  );
  const text = h(
    "div",
    { class: "mail-text" },
    (mail.text ?? "").split("\n").map((line, index) => [index ? "\n" : "", links(line)]),
  );
  return h("details", { class: "mail", dataset: { testid: "mail-item" } }, summary, text, mail.html && htmlPart(mail));
}

/** Only bare links come alive: everything that mrkdwn would read as markup is escaped first. */
function links(line) {
  const words = line.split(/(https?:\/\/\S+)/);
  return words.map((word, index) =>
    index % 2 ? inline(word.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")) : word,
  );
}

/** The HTML part runs no script and loads nothing: an empty `sandbox` forbids both. */
function htmlPart(mail) {
  const frame = () => h("iframe", { sandbox: "", srcdoc: mail.html, title: `HTML of ${mail.subject}` });
  const body = h("div", { class: "mail-html" });
  const ontoggle = () => body.childElementCount || body.append(frame());
  return h("details", { ontoggle }, h("summary", {}, "As HTML"), body);
}
