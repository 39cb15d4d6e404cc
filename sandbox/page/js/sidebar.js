// Channels, direct messages, the bot's Home and the mail sandbox.

import { h, keyed } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./message.js";
import { channelName, isUnread, move, session, workspace } from "./session.js";

/** `unreadMail` is a count. Rows are rebuilt only where something changed. */
export function showSidebar(nav, { unreadMail }) {
  const channels = workspace.channels
    .filter((channel) => channel.kind !== "dm")
    .map((channel) => channelRow(channel, "hash"));
  const directs = workspace.channels
    .filter((channel) => channel.kind === "dm")
    .map((channel) => channelRow(channel, "face"));
  const rows = [
    title("Channels"),
    ...channels,
    title("Direct messages"),
    ...directs,
    ...(directs.length ? [] : [{ key: "no-dms", note: "None yet: they appear when the bot writes to you." }]),
    title("Around it"),
    {
      key: "home",
      name: "Patchgate Home",
      face: "home",
      testid: "home",
      to: { place: "home" },
      current: session.place === "home",
    },
    {
      key: "mail",
      name: "Mail",
      face: "mail",
      testid: "mail",
      to: { place: "mail" },
      current: session.place === "mail",
      unread: unreadMail > 0,
      count: unreadMail,
    },
  ];
  keyed(nav, rows, { key: (row) => row.key, render: rowNode });
}

const title = (text) => ({ key: `title-${text}`, title: text });

function channelRow(channel, face) {
  const current = session.place === "channel" && session.channel === channel.id;
  return {
    key: channel.id,
    name: channelName(channel.id),
    face,
    with: channel.with,
    testid: `channel-${channel.id}`,
    to: { place: "channel", channel: channel.id },
    current,
    unread: !current && isUnread(channel),
  };
}

function rowNode(row) {
  if (row.title) return h("h2", { class: "nav-title" }, row.title);
  if (row.note) return h("p", { class: "nav-note" }, row.note);
  const face = row.face === "face" ? avatar(row.with ?? "", "avatar-small") : icon(row.face);
  const props = {
    type: "button",
    class: row.unread ? "nav-row unread" : "nav-row",
    "aria-current": row.current ? "page" : undefined,
    dataset: { testid: row.testid, focus: row.key, unread: row.unread ? "true" : undefined },
    onclick: () => move({ thread: null, ts: null, ...row.to }),
  };
  const sign =
    row.unread &&
    h(
      "span",
      { class: row.count ? "nav-count" : "nav-dot" },
      row.count || "",
      h("span", { class: "visually-hidden" }, " unread"),
    );
  return h("button", props, face, h("span", { class: "nav-name" }, row.name), sign);
}
