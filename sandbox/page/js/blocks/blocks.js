// Block Kit blocks → DOM nodes. A block or element that is not known says so: nothing disappears silently.

import { h } from "../dom.js";
import { markdown } from "../text/markdown.js";
import { plain, textObject } from "../text/mrkdwn.js";
import { richText } from "../text/richtext.js";
import { control } from "./controls.js";
import { elementNode, hooks, imageNode, perform } from "./elements.js";
import { isInput, stateOf } from "./form.js";
import { dataTableNode, tableNode } from "./tables.js";

const BLOCKS = {
  header: (block) => h("h3", { class: "block-header" }, plain(block.text.text)),
  divider: () => h("hr"),
  section,
  context: (block) => h("div", { class: "block-context" }, block.elements.map(contextElement)),
  actions: (block, ctx) =>
    h(
      "div",
      { class: "block-actions" },
      block.elements.map((element) => elementNode(element, block, ctx)),
    ),
  image: (block) =>
    h(
      "figure",
      { class: "block-image" },
      block.title && h("figcaption", {}, textObject(block.title)),
      imageNode(block.image_url, block.alt_text),
    ),
  markdown: (block) => h("div", { class: "block-markdown" }, markdown(block.text)),
  rich_text: (block) => h("div", { class: "block-rich" }, richText(block)),
  table: tableNode,
  data_table: dataTableNode,
  alert: (block) =>
    h("div", { class: `block-alert alert-${block.level ?? "default"}`, role: "note" }, textObject(block.text)),
  input,
};

/** One block of any surface; see elements.js for `ctx`. */
export function blockNode(block, ctx) {
  const build = BLOCKS[block.type];
  const node = build ? build(block, ctx) : h("p", { class: "unsupported" }, `Unsupported block: ${block.type}`);
  node.classList.add("block");
  if (block.block_id) node.dataset.blockId = block.block_id;
  return node;
}

function section(block, ctx) {
  const fields = block.fields?.map((field) => h("div", { class: "field" }, textObject(field)));
  const text = h(
    "div",
    { class: "section-text" },
    textObject(block.text),
    fields && h("div", { class: "fields" }, fields),
  );
  const accessory = block.accessory && h("div", { class: "accessory" }, elementNode(block.accessory, block, ctx));
  return h("div", { class: "block-section" }, text, accessory);
}

function contextElement(element) {
  if (element.type === "image") return imageNode(element.image_url, element.alt_text, "context-image");
  return h("div", { class: "context-text" }, textObject(element));
}

/** A labelled field. Its error, if any, is filled in by the modal: `.field-error` of this block. */
function input(block, ctx) {
  const { element } = block;
  const id = `f-${block.block_id}`;
  if (!isInput(element)) return h("p", { class: "unsupported" }, `Unsupported element: ${element.type}`);
  const grouped = ["checkboxes", "radio_buttons", "multi_static_select", "multi_users_select"].includes(element.type);
  const labels = {
    id,
    "aria-describedby": `${id}-hint ${id}-error`,
    "aria-labelledby": grouped ? `${id}-label` : undefined,
    "aria-required": block.optional || grouped ? undefined : "true",
    dataset: hooks(element, block),
  };
  const change = (value) => {
    ctx.form.set(block, element, value);
    if (ctx.fieldChanged) ctx.fieldChanged(block);
    if (block.dispatch_action && dispatches(element)) perform(field, element, block, ctx, stateOf(element, value));
  };
  const field = control(element, ctx.form.get(block, element), change, labels);
  if (block.dispatch_action && !dispatches(element)) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || element.multiline) return;
      event.preventDefault();
      perform(field, element, block, ctx, stateOf(element, ctx.form.get(block, element)));
    });
  }
  const optional = block.optional && h("span", { class: "hint" }, " (optional)");
  const label = h(
    grouped ? "div" : "label",
    { id: `${id}-label`, class: "field-label", for: grouped ? undefined : id },
    plain(block.label.text),
    optional,
  );
  const hint = h("div", { id: `${id}-hint`, class: "hint" }, block.hint && plain(block.hint.text));
  return h(
    "div",
    { class: "block-input" },
    label,
    field,
    hint,
    h("div", { id: `${id}-error`, class: "field-error", role: "alert" }),
  );
}

/** Whether an input block with dispatch_action reports each change; text fields report on Enter instead. */
const dispatches = (element) => !element.type.endsWith("_input");
