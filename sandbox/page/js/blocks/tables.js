// table and data_table blocks. A data_table sorts, filters and turns pages, as it does in Slack.

import { h, replace } from "../dom.js";
import { richText } from "../text/richtext.js";
import { withEmoji } from "../text/emoji.js";

const DEFAULT_PAGE_SIZE = 5;

export function tableNode(block) {
  const align = (index) => `align-${block.column_settings?.[index]?.align ?? "left"}`;
  const wrap = (index) => (block.column_settings?.[index]?.is_wrapped ? "" : " nowrap");
  const [head, ...rows] = block.rows;
  const row = (cells, tag) =>
    h(
      "tr",
      {},
      cells.map((cell, index) => h(tag, { class: align(index) + wrap(index) }, cellNodes(cell))),
    );
  const body = h(
    "tbody",
    {},
    rows.map((cells) => row(cells, "td")),
  );
  return scrollable("Table", h("table", { class: "grid" }, h("thead", {}, row(head, "th")), body));
}

export function dataTableNode(block) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? DEFAULT_PAGE_SIZE;
  const rowHeader = block.row_header_column_index ?? 0;
  const view = { page: 0, sort: null, descending: false, filter: "" };
  const table = h("table", { class: "grid" });
  const pager = h("div", { class: "pager" });

  function show() {
    const found = sorted(
      rows.filter((row) => row.some((cell) => cellText(cell).toLowerCase().includes(view.filter))),
      view,
    );
    const pages = Math.max(1, Math.ceil(found.length / size));
    view.page = Math.min(view.page, pages - 1);
    const shown = found.slice(view.page * size, (view.page + 1) * size);
    replace(
      table,
      h("caption", {}, block.caption),
      h("thead", {}, h("tr", {}, head.map(headCell))),
      h("tbody", {}, shown.map(bodyRow)),
    );
    replace(
      pager,
      pages > 1 && pageButtons(pages),
      h("span", { class: "hint", role: "status" }, countOf(found.length, shown.length)),
    );
  }
  function headCell(cell, index) {
    const order = view.sort !== index ? "none" : view.descending ? "descending" : "ascending";
    const onclick = () => {
      view.descending = view.sort === index && !view.descending;
      view.sort = index;
      show();
      table.querySelectorAll("thead button")[index].focus();
    };
    const arrow = { none: "", ascending: " ↑", descending: " ↓" }[order];
    return h(
      "th",
      { scope: "col", "aria-sort": order },
      h("button", { type: "button", class: "sort", onclick }, cellText(cell), arrow),
    );
  }
  function bodyRow(cells) {
    return h(
      "tr",
      {},
      cells.map((cell, index) =>
        h(
          index === rowHeader ? "th" : "td",
          { scope: index === rowHeader && "row", class: numeric(cell) && "align-right" },
          cellNodes(cell),
        ),
      ),
    );
  }
  function pageButtons(pages) {
    const turn = (by) => () => {
      view.page += by;
      show();
      pager.querySelectorAll("button")[by < 0 ? 0 : 1]?.focus();
    };
    return [
      h(
        "button",
        { type: "button", class: "button button-small", disabled: view.page === 0, onclick: turn(-1) },
        "Previous",
      ),
      h("span", {}, `${view.page + 1} of ${pages}`),
      h(
        "button",
        { type: "button", class: "button button-small", disabled: view.page === pages - 1, onclick: turn(1) },
        "Next",
      ),
    ];
  }
  const countOf = (found, shown) =>
    found === rows.length
      ? `${rows.length} rows`
      : `${found} of ${rows.length} rows${shown ? "" : ": nothing matches"}`;
  const oninput = (event) => {
    Object.assign(view, { filter: event.target.value.trim().toLowerCase(), page: 0 });
    show();
  };
  const filter =
    rows.length > size &&
    h("input", {
      type: "search",
      class: "table-filter",
      placeholder: "Filter rows…",
      "aria-label": `Filter: ${block.caption}`,
      oninput,
    });
  show();
  return h("div", { class: "data-table" }, filter, scrollable(block.caption, table), pager);
}

function sorted(rows, { sort, descending }) {
  if (sort === null) return rows;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const ordered = [...rows].sort((one, other) => compare(cellText(one[sort]), cellText(other[sort])));
  return descending ? ordered.reverse() : ordered;
}

function scrollable(label, table) {
  return h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": label }, table);
}

const numeric = (cell) => cell?.type === "raw_number";

function cellNodes(cell) {
  if (cell?.type === "rich_text") return richText(cell);
  return withEmoji(cellText(cell));
}

function cellText(cell) {
  if (cell?.type === "rich_text") return h("div", {}, richText(cell)).textContent;
  return String(cell?.text ?? cell?.value ?? cell?.number ?? "");
}
