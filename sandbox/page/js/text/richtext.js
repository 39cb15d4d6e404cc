// rich_text blocks → DOM nodes. Their leaves are plain: nothing in them is markup.

import { h } from "../dom.js";
import { dateNode } from "./dates.js";
import { emojiNode } from "./emoji.js";
import { broadcast, channelMention, groupMention, link, userMention } from "./mrkdwn.js";

const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf) => link(leaf.url, leaf.text || leaf.url),
  user: (leaf) => userMention(leaf.user_id),
  usergroup: (leaf) => groupMention(leaf.usergroup_id),
  channel: (leaf) => channelMention(leaf.channel_id),
  broadcast: (leaf) => broadcast(leaf.range),
  emoji: (leaf) => emojiNode(leaf.name) ?? `:${leaf.name}:`,
  date: (leaf) => dateNode(new Date(leaf.timestamp * 1000), leaf.format, { fallback: leaf.fallback }),
  color: (leaf) => h("code", {}, leaf.value),
};
const STYLE_TAGS = [
  ["code", "code"],
  ["bold", "strong"],
  ["italic", "em"],
  ["strike", "s"],
  ["underline", "u"],
];

/** A rich_text block, or a rich_text cell of a table. */
export function richText(block) {
  return (block.elements ?? []).map(part);
}

function part(element) {
  const inner = () => (element.elements ?? []).map(leafNode);
  switch (element.type) {
    case "rich_text_section":
      return h("div", { class: "text" }, inner());
    case "rich_text_preformatted":
      return h("pre", {}, inner());
    case "rich_text_quote":
      return h("blockquote", {}, inner());
    case "rich_text_list": {
      const items = (element.elements ?? []).map((item) => h("li", {}, part(item)));
      const start = element.offset ? element.offset + 1 : undefined;
      const indent = `indent-${Math.min(element.indent ?? 0, 8)}`;
      return h(element.style === "ordered" ? "ol" : "ul", { class: indent, start }, items);
    }
    default:
      return h("div", { class: "unsupported" }, `Unsupported rich text: ${element.type}`);
  }
}

function leafNode(leaf) {
  const content = LEAVES[leaf.type]?.(leaf) ?? `[${leaf.type}]`;
  return STYLE_TAGS.filter(([name]) => leaf.style?.[name]).reduce((node, [, tag]) => h(tag, {}, node), content);
}
