// Builds DOM nodes. Every text that comes from outside ends in a text node, so no data can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** `h("button", {class: "x", onclick: f, dataset: {testid: "y"}}, "text", node, null)` → an element. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** The same for SVG; attributes only. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  append(element, children);
  return element;
}

export function replace(container, ...children) {
  container.replaceChildren();
  append(container, children);
}

/**
 * Makes `container` show `items`, rebuilding only those whose `signature` moved: selection, focus and
 * open disclosures of all others survive a refresh. A focused control in a rebuilt item is focused again
 * by its `data-focus`.
 */
export function keyed(container, items, { key, signature = JSON.stringify, render }) {
  const before = container.keyedItems ?? new Map();
  const after = new Map();
  const stale = new Set(container.children);
  for (const item of items) {
    const id = key(item);
    const mark = signature(item);
    const kept = before.get(id);
    const entry = kept?.mark === mark ? kept : { mark, node: rebuilt(kept?.node, () => render(item)) };
    after.set(id, entry);
    stale.delete(entry.node);
  }
  for (const node of stale) node.remove();
  let at = container.firstElementChild;
  for (const { node } of after.values()) {
    if (node === at) at = at.nextElementSibling;
    else container.insertBefore(node, at);
  }
  container.keyedItems = after;
}

function rebuilt(old, render) {
  const focused = old?.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  const fresh = render();
  if (old?.isConnected) old.replaceWith(fresh);
  if (focused) fresh.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return fresh;
}

function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "dataset") mark(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected" || name === "open") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

function mark(element, dataset) {
  for (const [name, value] of Object.entries(dataset)) if (value !== undefined) element.dataset[name] = value;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}
