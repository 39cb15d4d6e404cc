// Interactive elements inside blocks: what a person can press or choose, and how that reaches the server.
//
// `ctx` is the surface: `{form, act(block, element, tail)}`; `act` sends the action and may throw `Refused`.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { menuButton } from "../menu.js";
import { plain, textObject } from "../text/mrkdwn.js";
import { confirmed } from "./confirm.js";
import { control } from "./controls.js";
import { isInput, stateOf } from "./form.js";

/** Any element of an actions block or a section's accessory. */
export function elementNode(element, block, ctx) {
  if (element.type === "button") return buttonNode(element, block, ctx);
  if (element.type === "overflow") return overflowNode(element, block, ctx);
  if (element.type === "image") return imageNode(element.image_url, element.alt_text, "thumb");
  if (isInput(element)) return actionControl(element, block, ctx);
  return h("span", { class: "unsupported" }, `Unsupported element: ${element.type}`);
}

/** The attributes that tests and focus keeping find a control by. */
export function hooks(element, block) {
  return { actionId: element.action_id, blockId: block.block_id, focus: `${block.block_id}/${element.action_id}` };
}

/** An image that says what it would show when it can't be loaded (the page itself loads nothing from outside). */
export function imageNode(url, alt, className) {
  const image = h("img", { src: url, alt: alt ?? "", class: className });
  image.addEventListener("error", () => {
    image.replaceWith(h("span", { class: "image-missing", role: "img", "aria-label": alt }, `Image: ${alt || url}`));
  });
  return image;
}

function buttonNode(element, block, ctx) {
  const style = { primary: "button-primary", danger: "button-danger" }[element.style] ?? "";
  const tail = element.value === undefined ? {} : { value: element.value };
  const props = {
    type: "button",
    class: `button ${style}`,
    "aria-label": element.accessibility_label,
    dataset: { testid: "block-button", ...hooks(element, block) },
    onclick: (event) => {
      if (element.url) window.open(element.url, "_blank", "noopener");
      perform(event.currentTarget, element, block, ctx, tail);
    },
  };
  return h(
    "button",
    props,
    plain(element.text.text),
    element.url && h("span", { class: "hint", "aria-hidden": "true" }, " ↗"),
  );
}

function overflowNode(element, block, ctx) {
  const items = element.options.map((option) => ({
    label: textObject(option.text),
    choose: (button) => {
      if (option.url) window.open(option.url, "_blank", "noopener");
      perform(button, element, block, ctx, { selected_option: option });
    },
  }));
  const props = { class: "button button-icon", "aria-label": "More actions", dataset: hooks(element, block) };
  return menuButton(props, icon("more"), items);
}

function actionControl(element, block, ctx) {
  const id = `e-${block.block_id}-${element.action_id}`;
  const labels = { id, "aria-label": element.placeholder?.text ?? element.action_id, dataset: hooks(element, block) };
  const change = async (value) => {
    const before = ctx.form.get(block, element);
    ctx.form.set(block, element, value);
    const sent = await perform(node, element, block, ctx, stateOf(element, value));
    if (sent) return;
    ctx.form.set(block, element, before);
    const fresh = control(element, before, change, labels);
    node.replaceWith(fresh);
    node = fresh;
  };
  let node = control(element, ctx.form.get(block, element), change, labels);
  return node;
}

/** Confirms, sends, and shows a refusal beside the control. False: nothing was done. */
export async function perform(node, element, block, ctx, tail) {
  if (node.getAttribute("aria-busy") === "true") return false;
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  const surface = node.closest(".blocks");
  surface?.querySelector(".action-error")?.remove();
  node.setAttribute("aria-busy", "true");
  try {
    await ctx.act(block, element, tail);
    return true;
  } catch (error) {
    surface?.append(h("p", { class: "action-error", role: "alert" }, error.message));
    return false;
  } finally {
    node.removeAttribute("aria-busy");
  }
}
