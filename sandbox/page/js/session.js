// Who is reading and what is open. It lives in the URL hash, so that a reload and the Back button work and
// two tabs can be two people; the last person chosen is the default of a new tab.

const LAST_USER = "patchgate.user";
const listeners = new Set();

export const session = { user: null, place: "channel", channel: null, thread: null, ts: null };

/** Facts of the workspace, as the server last told them. */
export const workspace = { team: {}, users: [], groups: [], channels: [], commands: [], applications: [] };

export function onMove(listener) {
  listeners.add(listener);
}

/** Changes where we are; `place` is "channel", "mail" or "home". */
export function move(change, { replaceEntry = false } = {}) {
  Object.assign(session, change);
  if (session.user) {
    sessionStorage.setItem(LAST_USER, session.user);
    localStorage.setItem(LAST_USER, session.user);
  }
  const hash = `#${toHash()}`;
  if (hash !== location.hash) history[replaceEntry ? "replaceState" : "pushState"](null, "", hash);
  for (const listener of listeners) listener(change);
}

export function readHash() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const place = hash.get("place") ?? "channel";
  return {
    user: hash.get("user") ?? sessionStorage.getItem(LAST_USER) ?? localStorage.getItem(LAST_USER),
    place: ["channel", "mail", "home"].includes(place) ? place : "channel",
    channel: hash.get("channel") ?? session.channel,
    thread: hash.get("thread"),
    ts: hash.get("ts"),
  };
}

function toHash() {
  const hash = new URLSearchParams();
  if (session.user) hash.set("user", session.user);
  if (session.place !== "channel") hash.set("place", session.place);
  else if (session.channel) hash.set("channel", session.channel);
  if (session.place === "channel" && session.thread) hash.set("thread", session.thread);
  if (session.place === "channel" && session.ts) hash.set("ts", session.ts);
  return hash.toString();
}

/** `/archives/C0ORDERS/p1700000000000100` → where it points, or null. */
export function permalink(href) {
  const url = new URL(href, location.href);
  const match = /^\/archives\/([A-Z0-9]+)\/p(\d{7,})$/.exec(url.pathname);
  if (url.origin !== location.origin || !match) return null;
  return {
    place: "channel",
    channel: match[1],
    ts: `${match[2].slice(0, -6)}.${match[2].slice(-6)}`,
    thread: url.searchParams.get("thread_ts"),
  };
}

export function person(id) {
  return workspace.users.find((user) => user.id === id) ?? { id, name: id, real_name: id, title: "", tz: "UTC" };
}

export function nameOf(id) {
  const user = person(id);
  return user.real_name || user.name;
}

export function channelOf(id) {
  return workspace.channels.find((channel) => channel.id === id);
}

export function channelName(id) {
  const channel = channelOf(id);
  if (!channel) return id;
  return channel.kind === "dm" ? nameOf(channel.with ?? channel.name) : channel.name;
}

export function zone() {
  return person(session.user).tz || "UTC";
}

// What has been read, per person and only in this tab: a restarted sandbox starts its times anew.
const readKey = (channel) => `patchgate.read.${session.user}.${channel}`;

export function markRead(channel) {
  const latest = channelOf(channel)?.latest;
  if (latest) sessionStorage.setItem(readKey(channel), latest);
}

export function isUnread(channel) {
  return Boolean(channel.latest) && sessionStorage.getItem(readKey(channel.id)) !== channel.latest;
}
