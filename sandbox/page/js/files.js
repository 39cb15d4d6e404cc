// Files of a message: download, and a look inside for text, CSV and JSON.

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";

const PREVIEW_BYTES = 1_000_000;
const PREVIEW_ROWS = 50;
const PREVIEW_CHARACTERS = 20_000;

export function fileNode(file) {
  const name = h("span", { class: "file-name" }, file.name);
  const facts = h("span", { class: "hint" }, `${sizeText(file.size)} · ${file.mimetype}`);
  const download = h(
    "a",
    { class: "button button-small", href: file.url, download: file.name, "aria-label": `Download ${file.name}` },
    icon("download"),
    "Download",
  );
  const head = h(
    "div",
    { class: "file-head" },
    icon("file"),
    h("span", { class: "file-title" }, name, facts),
    download,
  );
  return h("div", { class: "file", dataset: { testid: "file" } }, head, previewable(file) && preview(file));
}

function previewable(file) {
  const text =
    file.mimetype.startsWith("text/") ||
    /json|csv|yaml/.test(file.mimetype) ||
    /\.(txt|csv|json|ya?ml|log|md)$/i.test(file.name);
  return text && file.size <= PREVIEW_BYTES;
}

function preview(file) {
  const body = h("div", { class: "file-preview" }, "Loading…");
  const load = async () => {
    const response = await fetch(file.url);
    replace(
      body,
      response.ok ? contentNode(file, await response.text()) : `The file can't be read (${response.status}).`,
    );
  };
  const ontoggle = () => {
    load().catch(() => replace(body, "The sandbox does not answer."));
  };
  return h("details", {}, h("summary", { dataset: { focus: `file-${file.id}` }, onclick: ontoggle }, "Preview"), body);
}

function contentNode(file, text) {
  if (/csv/.test(file.mimetype) || /\.csv$/i.test(file.name)) return csvTable(text);
  if (/json/.test(file.mimetype) || /\.json$/i.test(file.name)) return h("pre", {}, clipped(indented(text)));
  return h("pre", {}, clipped(text));
}

function csvTable(text) {
  const [head, ...rows] = csvRows(text);
  const row = (cells, tag) =>
    h(
      "tr",
      {},
      cells.map((cell) => h(tag, {}, cell)),
    );
  const table = h(
    "table",
    { class: "grid" },
    h("thead", {}, row(head ?? [], "th")),
    h(
      "tbody",
      {},
      rows.slice(0, PREVIEW_ROWS).map((cells) => row(cells, "td")),
    ),
  );
  const more =
    rows.length > PREVIEW_ROWS && h("p", { class: "hint" }, `The first ${PREVIEW_ROWS} of ${rows.length} rows.`);
  return [h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "File contents" }, table), more];
}

/** RFC 4180: quoted fields may hold commas, newlines and doubled quotes. */
function csvRows(text) {
  const rows = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.some((cell) => cell !== ""));
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const clipped = (text) =>
  text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}\n… (download the file for the rest)` : text;

function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
