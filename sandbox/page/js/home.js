// The bot's Home tab for the person.

import { get, post } from "./api.js";
import { blockNode } from "./blocks/blocks.js";
import { Form } from "./blocks/form.js";
import { h, keyed, replace } from "./dom.js";
import { session } from "./session.js";

const form = new Form();

/** Shows what is there, and tells the bot that the person opened its Home: what it publishes arrives as an event. */
export async function openHome(place) {
  await showHome(place);
  await post("/sandbox/slack/home/open", { user: session.user });
}

export async function showHome(place) {
  const { user } = session;
  const { view } = await get("/sandbox/slack/home", { user });
  if (!view) {
    place.keyedItems = undefined;
    replace(place, h("p", { class: "empty" }, "Patchgate has published nothing here for you yet."));
    return;
  }
  place.querySelector(":scope > .empty")?.remove();
  const ctx = {
    form,
    act: (block, element, tail) =>
      post("/sandbox/slack/view/action", {
        user,
        view_id: view.id,
        block_id: block.block_id,
        action_id: element.action_id,
        ...tail,
        state: { values: form.values(view.blocks) },
      }),
  };
  keyed(place, [{ user, view }], {
    key: () => "home",
    render: () =>
      h(
        "div",
        { class: "blocks home-blocks" },
        view.blocks.map((block) => blockNode(block, ctx)),
      ),
  });
}
