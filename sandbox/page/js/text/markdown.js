// The part of Markdown that Slack's markdown block knows → DOM nodes.

import { h } from "../dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./mrkdwn.js";

const ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;
const SEPARATOR = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const INLINE = [
  [/^`([^`]+)`/, (match) => h("code", {}, match[1])],
  [/^\*\*(\S(?:.*?\S)?)\*\*/, (match) => h("strong", {}, inline(match[1]))],
  [/^__(\S(?:.*?\S)?)__/, (match) => h("strong", {}, inline(match[1]))],
  [/^~~(\S(?:.*?\S)?)~~/, (match) => h("s", {}, inline(match[1]))],
  [/^\*(\S(?:[^*]*?\S)?)\*/, (match) => h("em", {}, inline(match[1]))],
  [/^_(\S(?:[^_]*?\S)?)_(?![\p{L}\p{N}])/u, (match) => h("em", {}, inline(match[1]))],
  [/^\[([^\]]+)\]\(([^()\s]+)\)/, (match) => link(match[2], inline(match[1]))],
  [/^<((?:https?:|mailto:)[^<>\s]+)>/, (match) => link(match[1], match[1])],
  [/^https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"\]]/, (match) => link(match[0], match[0])],
  [/^\\([\\`*_{}[\]()#+\-.!|~>])/, (match) => match[1]],
];

export function markdown(text) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"));
}

function blocks(lines) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const [node, used] =
      fence(lines, at) ??
      heading(lines, at) ??
      rule(lines, at) ??
      quote(lines, at) ??
      table(lines, at) ??
      list(lines, at) ??
      paragraph(lines, at);
    if (node) nodes.push(node);
    at += used;
  }
  return nodes;
}

function fence(lines, at) {
  const open = /^\s*(```+|~~~+)/.exec(lines[at]);
  if (!open) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(open[1])) end += 1;
  return [h("pre", {}, lines.slice(at + 1, end).join("\n")), end - at + 1];
}

function heading(lines, at) {
  const match = /^(#{1,6})\s+(.*?)\s*#*$/.exec(lines[at]);
  return match && [h(`h${Math.min(match[1].length + 2, 6)}`, { class: "md-heading" }, inline(match[2])), 1];
}

function rule(lines, at) {
  return /^\s*([-*_])(?:\s*\1){2,}\s*$/.test(lines[at]) ? [h("hr"), 1] : null;
}

function quote(lines, at) {
  let end = at;
  while (end < lines.length && /^\s*>/.test(lines[end])) end += 1;
  if (end === at) return null;
  return [h("blockquote", {}, blocks(lines.slice(at, end).map((line) => line.replace(/^\s*> ?/, "")))), end - at];
}

function table(lines, at) {
  if (!lines[at].includes("|") || !SEPARATOR.test(lines[at + 1] ?? "") || !lines[at + 1].includes("-")) return null;
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const aligns = cells(lines[at + 1]).map((cell) =>
    cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left",
  );
  const row = (line, tag) =>
    h(
      "tr",
      {},
      cells(line).map((cell, index) => h(tag, { class: `align-${aligns[index] ?? "left"}` }, inline(cell))),
    );
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const node = h("table", { class: "grid" }, h("thead", {}, row(lines[at], "th")), h("tbody", {}, body));
  return [h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Table" }, node), end - at];
}

function cells(line) {
  return line
    .trim()
    .replace(/^\||(?<!\\)\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** A list with its nested lines, which are indented deeper than its own marker. */
function list(lines, at) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const depth = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (item && item[1].length <= depth) {
      if (item[1].length < depth || /\d/.test(item[2]) !== ordered) break;
      items.push({ head: item[3], rest: [] });
    } else if (items.length && /^\s+\S/.test(lines[end])) items.at(-1).rest.push(lines[end]);
    else break;
    end += 1;
  }
  const nodes = items.map(({ head, rest }) => h("li", {}, task(head) ?? inline(head), blocks(rest)));
  return [h(ordered ? "ol" : "ul", { start: ordered ? parseInt(first[2], 10) : undefined }, nodes), end - at];
}

function task(text) {
  const match = /^\[([ xX])\]\s+(.*)$/.exec(text);
  if (!match) return null;
  const box = h("input", { type: "checkbox", disabled: true, checked: match[1] !== " ", "aria-label": match[2] });
  return [box, " ", ...inline(match[2])];
}

function paragraph(lines, at) {
  if (!lines[at].trim()) return [null, 1];
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !starts(lines, end)) end += 1;
  const parts = lines.slice(at, end).map((line, index) => [index ? h("br") : null, inline(line.trim())]);
  return [h("p", {}, parts), end - at];
}

function starts(lines, at) {
  return [fence, heading, rule, quote, table, list].some((kind) => kind(lines, at));
}

function inline(text) {
  const nodes = [];
  let buffer = "";
  for (let at = 0; at < text.length;) {
    const found =
      /[`*_~[<h\\]/.test(text[at]) && !(/[_h]/.test(text[at]) && /[\p{L}\p{N}]/u.test(text[at - 1] ?? ""))
        ? INLINE.map(([pattern, build]) => [pattern.exec(text.slice(at)), build]).find(([match]) => match)
        : undefined;
    if (!found) {
      buffer += text[at];
      at += 1;
      continue;
    }
    nodes.push(...withEmoji(buffer), found[1](found[0]));
    buffer = "";
    at += found[0][0].length;
  }
  return [...nodes, ...withEmoji(buffer)];
}
