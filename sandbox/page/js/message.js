// One message of a channel or thread.

import { post } from "./api.js";
import { blockNode } from "./blocks/blocks.js";
import { Form } from "./blocks/form.js";
import { h, svg } from "./dom.js";
import { fileNode } from "./files.js";
import { icon } from "./icons.js";
import { move, nameOf, person, session } from "./session.js";
import { fullTime, timeOfDay } from "./text/dates.js";
import { emojiNode } from "./text/emoji.js";
import { mrkdwn } from "./text/mrkdwn.js";

const SLACKBOT = "USLACKBOT";
const forms = new Map();

export const isDismissed = (message) => message.ephemeral && sessionStorage.getItem(dismissKey(message)) !== null;
const dismissKey = (message) => `patchgate.dismissed.${session.user}.${message.channel}.${message.ts}`;

/**
 * `{message, compact, inThread}` → article. `compact`: the same author goes on, so no face and name.
 * `changed()` is called when the list must be read anew.
 */
export function messageNode({ message, compact, inThread }, changed) {
  const at = new Date(message.at);
  const author = nameOf(message.user);
  const ephemeral = message.ephemeral && h("div", { class: "only-you" }, icon("eye"), "Only visible to you");
  const name = h(
    "div",
    { class: "message-head" },
    h("span", { class: "author" }, author),
    person(message.user).is_bot && h("span", { class: "app-badge" }, "App"),
    timeLink(message, at),
  );
  const content = h(
    "div",
    { class: "message-content" },
    ephemeral,
    compact ? null : name,
    body(message),
    tail(message, inThread, changed),
  );
  const gutter = h("div", { class: "gutter" }, compact ? timeLink(message, at) : avatar(message.user));
  const data = { testid: "message", ts: message.ts, ephemeral: String(Boolean(message.ephemeral)), user: message.user };
  const classes = `message${compact ? " compact" : ""}${message.ephemeral ? " ephemeral" : ""}`;
  return h("article", { class: classes, "aria-label": `${author}, ${timeOfDay(at)}`, dataset: data }, gutter, content);
}

/** A coloured square with initials; the bot and Slackbot get a sign of their own. */
export function avatar(userId, size = "") {
  const user = person(userId);
  if (user.is_bot || userId === SLACKBOT)
    return h("span", { class: `avatar avatar-bot ${size}`, "aria-hidden": "true" }, icon("shield"));
  const initials = nameOf(userId)
    .split(/\s+/)
    .map((word) => word[0])
    .slice(0, 2)
    .join("")
    .toUpperCase();
  const hue = [...userId].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const disc = svg("rect", { width: 36, height: 36, fill: `hsl(${hue} 42% 42%)` });
  const text = svg("text", { x: 18, y: 19, "text-anchor": "middle", "dominant-baseline": "central" }, initials);
  return svg("svg", { viewBox: "0 0 36 36", class: `avatar ${size}`, "aria-hidden": "true" }, disc, text);
}

function timeLink(message, at) {
  const href = `/archives/${message.channel}/p${message.ts.replace(".", "")}`;
  return h(
    "a",
    { class: "message-time", href, title: fullTime(at), dataset: { focus: "time" } },
    h("time", { datetime: message.at }, timeOfDay(at)),
  );
}

function body(message) {
  const edited = message.edited && h("span", { class: "edited" }, "(edited)");
  if (!message.blocks?.length) return h("div", { class: "message-text" }, mrkdwn(message.text ?? ""), edited);
  const ctx = contextOf(message);
  return h(
    "div",
    { class: "blocks" },
    message.blocks.map((block) => blockNode(block, ctx)),
    edited,
  );
}

function contextOf(message) {
  const key = `${session.user}.${message.channel}.${message.ts}`;
  if (!forms.has(key)) forms.set(key, new Form());
  const form = forms.get(key);
  const where = { user: session.user, channel: message.channel, ts: message.ts };
  return {
    form,
    act: (block, element, tail) =>
      post("/sandbox/slack/action", {
        ...where,
        block_id: block.block_id,
        action_id: element.action_id,
        ...tail,
        state: { values: form.values(message.blocks) },
      }),
  };
}

function tail(message, inThread, changed) {
  const files = (message.files ?? []).map(fileNode);
  const dismiss = () => {
    sessionStorage.setItem(dismissKey(message), "1");
    changed();
  };
  const reactions = (message.reactions ?? []).map((name) =>
    h("span", { class: "reaction" }, emojiNode(name) ?? `:${name}:`),
  );
  return [
    files,
    reactions.length > 0 && h("div", { class: "reactions" }, reactions),
    message.reply_count > 0 && !inThread && repliesButton(message),
    message.ephemeral &&
      h(
        "button",
        { type: "button", class: "link-button", dataset: { testid: "dismiss" }, onclick: dismiss },
        "Dismiss",
      ),
    !message.ephemeral && !inThread && toolbar(message),
  ];
}

function openThread(message) {
  move({ thread: message.thread_ts ?? message.ts });
}

function repliesButton(message) {
  const text = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const data = { testid: "replies", focus: "replies" };
  return h(
    "button",
    { type: "button", class: "replies", dataset: data, onclick: () => openThread(message) },
    icon("thread"),
    text,
  );
}

function toolbar(message) {
  const props = {
    type: "button",
    class: "toolbar",
    title: "Reply in thread",
    "aria-label": "Reply in thread",
    dataset: { focus: "reply" },
  };
  return h("button", { ...props, onclick: () => openThread(message) }, icon("thread"));
}
