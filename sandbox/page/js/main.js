// Wires the page: what is shown follows the session (session.js), what is fetched follows the event stream.

import { coalesced, get } from "./api.js";
import { composer } from "./composer.js";
import { h, replace } from "./dom.js";
import { closeDrawers, setUpDrawers } from "./drawers.js";
import { openHome, showHome } from "./home.js";
import { icon } from "./icons.js";
import { MessageList } from "./list.js";
import { listen } from "./live.js";
import { readMail, showMail, unreadMail } from "./mail.js";
import { avatar } from "./message.js";
import { close as closeModal, refreshView } from "./modal.js";
import { refreshWorld, setPanelOpen, setUpPanel } from "./panel/panel.js";
import {
  channelName,
  channelOf,
  markRead,
  move,
  nameOf,
  onMove,
  permalink,
  person,
  readHash,
  session,
  workspace,
} from "./session.js";
import { showSidebar } from "./sidebar.js";
import { openSwitcher } from "./switcher.js";
import { refreshDates } from "./text/dates.js";
import { closeThread, setUpThread, showThread } from "./thread.js";

const FIRST_USER = "U0ANN";
const MAIL_EVERY_MS = 5000;
const by = (id) => document.getElementById(id);
const places = { channel: by("channel-place"), mail: by("mail-place"), home: by("home-place") };
const drawn = { user: null, place: null, channel: null };

const failed = (error) => {
  by("offline").hidden = false;
  replace(by("offline"), error.message);
  if (error.status === undefined) throw error;
};
const refreshState = coalesced(readState, failed);
const refreshHistory = coalesced(showHistory, failed);
const refreshThread = coalesced(showThread, failed);
const refreshModal = coalesced(refreshView, failed);
const refreshHome = coalesced(async () => session.place === "home" && showHome(places.home), failed);
const refreshMail = coalesced(async () => {
  await readMail();
  if (session.place === "mail") showMail(places.mail);
  drawSidebar();
}, failed);

const list = new MessageList({
  scroller: by("messages"),
  items: by("message-items"),
  pill: by("new-pill"),
  changed: refreshHistory,
});
const writer = composer(by("composer"), {
  testid: "composer",
  where: () => ({ channel: session.channel }),
  sent: () => {
    refreshHistory();
    refreshModal();
  },
});

async function readState() {
  const state = await get("/sandbox/slack/state", { user: session.user });
  Object.assign(workspace, state);
  if (session.place === "channel") markRead(session.channel);
  drawSidebar();
  drawPeople();
  drawHead();
}

async function showHistory() {
  if (session.place !== "channel") return;
  const { user, channel } = session;
  const { messages } = await get("/sandbox/slack/history", { user, channel });
  if (user !== session.user || channel !== session.channel) return;
  by("offline").hidden = true;
  list.show(messages);
  if (session.ts && list.reveal(session.ts)) session.ts = null;
}

/** Brings the page in line with the session after a move. */
function follow() {
  const newUser = drawn.user !== session.user;
  const newPlace = newUser || drawn.place !== session.place || drawn.channel !== session.channel;
  Object.assign(drawn, { user: session.user, place: session.place, channel: session.channel });
  if (newUser) changePerson();
  if (newPlace) changePlace();
  else if (session.ts && list.reveal(session.ts)) session.ts = null;
  refreshThread();
}

function changePerson() {
  closeModal();
  refreshState();
  refreshModal();
  listen(session.user, { onEvent, onState });
}

function changePlace() {
  closeDrawers();
  for (const [name, node] of Object.entries(places)) node.hidden = name !== session.place;
  drawHead();
  if (session.place === "channel") {
    list.reset();
    markRead(session.channel);
    refreshHistory();
    if (!matchMedia("(pointer: coarse)").matches) writer.focus();
  } else by("place-title").focus();
  if (session.place === "mail") showMail(places.mail);
  if (session.place === "home") openHome(places.home).catch(failed);
  refreshMail();
}

function onEvent({ type, channel }) {
  if (type === "view") {
    refreshModal();
    refreshHome();
  } else if (type === "clock") refreshWorld();
  else {
    refreshState();
    if (channel === session.channel || !channel) {
      refreshHistory();
      refreshThread();
    }
  }
}

function onState(connected) {
  by("offline").hidden = connected;
  if (!connected) return replace(by("offline"), "The sandbox does not answer. Trying again…");
  for (const refresh of [refreshState, refreshHistory, refreshThread, refreshModal, refreshHome, refreshMail])
    refresh();
}

function drawSidebar() {
  showSidebar(by("sidebar"), { unreadMail: session.place === "mail" ? 0 : unreadMail() });
}

function drawPeople() {
  const select = by("user-select");
  const people = workspace.users.filter((user) => !user.is_bot);
  const options = people.map((user) =>
    h("option", { value: user.id }, user.title ? `${user.real_name} – ${user.title}` : user.real_name),
  );
  if (select.options.length !== options.length) replace(select, options);
  select.value = session.user;
  replace(by("who-face"), avatar(session.user, "avatar-small"));
}

function drawHead() {
  const channel = channelOf(session.channel);
  const name = channelName(session.channel);
  const [title, about] = {
    channel:
      channel?.kind === "dm" ? [name, "A conversation between the two of you"] : [`#${name}`, membersText(channel)],
    mail: ["Mail", "What the bot sent by SMTP; nothing leaves this machine"],
    home: ["Patchgate Home", ""],
  }[session.place];
  replace(by("place-title"), title);
  replace(by("place-about"), about);
  document.title = `${title} · ${nameOf(session.user)} · ${workspace.team.name ?? "Patchgate sandbox"}`;
  const label = channel?.kind === "dm" ? `Message ${name}` : `Message #${name} or type / for commands`;
  if (session.place === "channel" && drawn.label !== label) writer.setLabel(label);
  drawn.label = label;
}

function membersText(channel) {
  const members = (channel?.members ?? []).map(person).filter((user) => !user.is_bot);
  return members.length ? members.map((user) => (user.real_name || user.name).split(" ")[0]).join(", ") : "";
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openSwitcher();
    } else if (event.key === "Escape" && session.thread && !document.querySelector("dialog[open]")) closeThread();
  });
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[href]");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = anchor.dataset.channel
      ? { place: "channel", channel: anchor.dataset.channel, thread: null }
      : permalink(anchor.href);
    if (!target) return;
    event.preventDefault();
    move(target);
  });
  by("skip-link").addEventListener("click", (event) => {
    event.preventDefault();
    by("messages").focus();
  });
  by("user-select").addEventListener("change", (event) =>
    move({ user: event.target.value, thread: null, ...homeChannel() }),
  );
  by("switcher-button").append(
    icon("search"),
    h("span", {}, "Go to…"),
    h("kbd", {}, /Mac/.test(navigator.platform) ? "⌘K" : "Ctrl K"),
  );
  by("switcher-button").addEventListener("click", openSwitcher);
  addEventListener("popstate", () => {
    Object.assign(session, valid(readHash()));
    follow();
  });
}

/** Direct messages belong to one person: another person starts in a channel that everybody has. */
function homeChannel() {
  if (channelOf(session.channel)?.kind !== "dm") return {};
  return { channel: workspace.channels.find((channel) => channel.kind !== "dm")?.id };
}

function valid(wanted) {
  const known = workspace.users.some((user) => user.id === wanted.user && !user.is_bot);
  const user = known ? wanted.user : (workspace.users.find((each) => !each.is_bot)?.id ?? FIRST_USER);
  const channel = channelOf(wanted.channel) ? wanted.channel : workspace.channels[0]?.id;
  return { ...wanted, user, channel };
}

async function start() {
  setUpKeys();
  setUpThread(() => {
    refreshThread();
    refreshHistory();
  });
  setUpPanel();
  setUpDrawers(setPanelOpen);
  const wanted = readHash();
  session.user = wanted.user ?? FIRST_USER;
  Object.assign(workspace, await get("/sandbox/slack/state", { user: session.user }));
  onMove(follow);
  move(valid(wanted), { replaceEntry: true });
  setInterval(refreshDates, 1000);
  setInterval(() => document.hidden || refreshMail(), MAIL_EVERY_MS);
}

start().catch(failed);
