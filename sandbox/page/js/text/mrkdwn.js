// Slack's mrkdwn → DOM nodes. `&amp;`, `&lt;` and `&gt;` are the only escapes, and they are undone only at
// the leaves: text that the bot escaped can never turn into a mention, a link or markup here.

import { h } from "../dom.js";
import { channelName, nameOf, session, workspace } from "../session.js";
import { dateNode } from "./dates.js";
import { withEmoji } from "./emoji.js";

const FENCE = /```\n?([\s\S]*?)\n?```/g;
const LINE_KINDS = [
  ["quote", /^(?:&gt;|>) ?(.*)$/],
  ["bullet", /^(?:•|-) +(.*)$/],
  ["number", /^(\d+)[.)] +(.*)$/],
];
const BARE_URL = /^https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)'"\]]/;
const STYLES = { "*": "strong", _: "em", "~": "s" };

/** A text object's or message's mrkdwn as nodes: block structure first, then each line's inline marks. */
export function mrkdwn(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(FENCE)) {
    nodes.push(...lines(text.slice(done, match.index).replace(/\n$/, "")));
    nodes.push(h("pre", {}, leaf(match[1])));
    done = match.index + match[0].length;
  }
  nodes.push(...lines(done ? text.slice(done).replace(/^\n/, "") : text));
  return nodes;
}

/** A text object, mrkdwn or plain. */
export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "") : plain(object.text ?? "");
}

export function plain(text) {
  return withEmoji(text);
}

/** Undoes the three escapes. */
function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A link only where it leads somewhere harmless; other schemes stay text. */
export function link(href, children) {
  if (!/^(https?:|mailto:)/i.test(href)) return h("span", {}, children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children);
}

export const userMention = (id) =>
  h("span", { class: `mention${id === session.user ? " mention-you" : ""}` }, `@${nameOf(id)}`);
export const groupMention = (id, label) => {
  const group = workspace.groups.find((each) => each.id === id);
  return h("span", { class: "mention" }, label ?? `@${group?.handle ?? id}`);
};
export const broadcast = (range) => h("span", { class: "mention mention-all" }, `@${range}`);
export const channelMention = (id) =>
  h(
    "a",
    { class: "mention", href: `#channel=${encodeURIComponent(id)}`, dataset: { channel: id } },
    `#${channelName(id)}`,
  );

function lines(text) {
  const nodes = [];
  let open = null;
  for (const line of text === "" ? [] : text.split("\n")) {
    const { kind, content, start } = classify(line);
    if (kind !== open?.kind) {
      open = { kind, node: container(kind, start), empty: true };
      nodes.push(open.node);
    }
    if (kind === "bullet" || kind === "number") open.node.append(h("li", {}, inline(content)));
    else {
      if (!open.empty) open.node.append(document.createElement("br"));
      open.node.append(...inline(content));
    }
    open.empty = false;
  }
  return nodes;
}

function classify(line) {
  for (const [kind, pattern] of LINE_KINDS) {
    const match = pattern.exec(line);
    if (match) return { kind, content: match.at(-1), start: kind === "number" ? Number(match[1]) : undefined };
  }
  return { kind: "text", content: line };
}

function container(kind, start) {
  if (kind === "quote") return h("blockquote");
  if (kind === "bullet") return h("ul");
  if (kind === "number") return h("ol", { start });
  return h("div", { class: "text" });
}

/** One line's nodes: entities in `<…>`, code, bold, italic, strike, emoji and bare links. */
export function inline(text) {
  const nodes = [];
  let plainFrom = 0;
  let at = 0;
  const flush = (end) => {
    if (end > plainFrom) nodes.push(...withEmoji(unescaped(text.slice(plainFrom, end))));
  };
  while (at < text.length) {
    const found = entity(text, at, at === 0) ?? code(text, at) ?? styled(text, at) ?? bareUrl(text, at);
    if (found) {
      flush(at);
      nodes.push(found.node);
      at += found.length;
      plainFrom = at;
    } else at += 1;
  }
  flush(text.length);
  return nodes;
}

function entity(text, at, atStart) {
  if (text[at] !== "<") return null;
  const end = text.indexOf(">", at);
  if (end < at + 2) return null;
  const [target, label] = split(text.slice(at + 1, end));
  return { node: entityNode(target, label, atStart), length: end - at + 1 };
}

function entityNode(target, label, atStart) {
  if (target.startsWith("@")) return userMention(target.slice(1));
  if (target.startsWith("#")) return channelMention(target.slice(1));
  if (target.startsWith("!date^")) {
    const [, epoch, format, url] = target.split("^");
    const node = dateNode(new Date(Number(epoch) * 1000), format ?? "", {
      fallback: label && unescaped(label),
      atStart,
    });
    return url ? link(unescaped(url), node) : node;
  }
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9), label && unescaped(label));
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (target.startsWith("!")) return h("span", {}, leaf(label ?? target));
  return link(unescaped(target), label ? inlineLeaf(label) : unescaped(target));
}

function code(text, at) {
  if (text[at] !== "`") return null;
  const end = text.indexOf("`", at + 1);
  if (end < at + 2) return null;
  return { node: h("code", {}, leaf(text.slice(at + 1, end))), length: end - at + 1 };
}

/** `*x*`, `_x_`, `~x~`: only at word boundaries, and never across a space right inside the marks. */
function styled(text, at) {
  const mark = text[at];
  const tag = STYLES[mark];
  if (!tag || /[\p{L}\p{N}]/u.test(text[at - 1] ?? "") || /\s/.test(text[at + 1] ?? " ") || text[at + 1] === mark)
    return null;
  for (let end = skip(text, at + 1); end < text.length; end = skip(text, end + 1)) {
    const closes = text[end] === mark && end > at + 1 && !/\s/.test(text[end - 1]);
    if (closes && !/[\p{L}\p{N}]/u.test(text[end + 1] ?? "")) {
      return { node: h(tag, {}, inline(text.slice(at + 1, end))), length: end - at + 1 };
    }
  }
  return null;
}

/** The next position that is not inside `<…>` or a code span. */
function skip(text, at) {
  const close = { "<": ">", "`": "`" }[text[at]];
  const end = close ? text.indexOf(close, at + 1) : -1;
  return end > at ? end : at;
}

function bareUrl(text, at) {
  if (text[at] !== "h" || /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return null;
  const match = BARE_URL.exec(text.slice(at));
  return match && { node: link(unescaped(match[0]), unescaped(match[0])), length: match[0].length };
}

function split(body) {
  const bar = body.indexOf("|");
  return bar < 0 ? [body, undefined] : [body.slice(0, bar), body.slice(bar + 1)];
}

const inlineLeaf = (text) => withEmoji(unescaped(text));

/** Text inside code: entities show their label, nothing else is interpreted. */
function leaf(text) {
  return unescaped(text.replace(/<([^<>|]+)(?:\|([^<>]*))?>/g, (whole, target, label) => label ?? target));
}
