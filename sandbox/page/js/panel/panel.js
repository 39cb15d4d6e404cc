// "Simulated world": the sandbox's clock, fleet, repositories, alarms and faults, and what SSM was asked.

import { get } from "../api.js";
import { now, rate, setClock } from "../clock.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { workspace } from "../session.js";
import { clockFace } from "../text/dates.js";
import { alarmsSection, showAlarms } from "./alarms.js";
import { clockSection, showClock } from "./clock.js";
import { faultsSection, showFaults } from "./faults.js";
import { fleetSection, showFleet } from "./fleet.js";
import { foreignSection, showForeign } from "./foreign.js";
import { logSection, refreshLog } from "./log.js";
import { repositoriesSection, showRepositories } from "./repositories.js";

const EVERY_MS = 1000;
const HIDDEN_EVERY_MS = 5000;
const error = h("p", { class: "action-error", role: "alert" });
let open = false;
let lastRead = -Infinity;
let reading = false;

export function setUpPanel() {
  const head = h("header", { class: "pane-head" }, h("h2", { tabindex: -1 }, "Simulated world"));
  const sections = [
    clockSection(run),
    fleetSection(run),
    repositoriesSection(run),
    alarmsSection(run),
    faultsSection(run),
    foreignSection(run),
    logSection(),
  ];
  replace(
    document.getElementById("panel"),
    head,
    error,
    h("div", { class: "scroller panel-body", tabindex: 0, role: "region", "aria-label": "Simulated world" }, sections),
  );
  setInterval(tick, EVERY_MS);
  tick();
}

export function setPanelOpen(isOpen) {
  open = isOpen;
  if (open) refreshWorld();
}

/** Reads the world (and, when the panel is open, the log) and draws what changed. */
export async function refreshWorld() {
  if (reading) return;
  reading = true;
  lastRead = performance.now();
  try {
    const world = await get("/sandbox/world");
    setClock(world.now, world.rate);
    workspace.applications = world.applications;
    for (const show of [showFleet, showRepositories, showAlarms, showFaults, showForeign]) show(world);
    if (open) await refreshLog();
    replace(error);
  } catch (refused) {
    replace(error, refused.message);
    if (refused.status === undefined) throw refused;
  } finally {
    reading = false;
    showTime();
  }
}

/** Does what a person asked of the world, then shows the result; a refusal is shown at the top of the panel. */
async function run(ask) {
  try {
    await ask();
    await refreshWorld();
  } catch (refused) {
    replace(error, refused.message);
  }
}

function tick() {
  showTime();
  const every = open ? EVERY_MS - 50 : HIDDEN_EVERY_MS;
  if (!document.hidden && performance.now() - lastRead >= every) refreshWorld();
}

function showTime() {
  showClock();
  const { day, time } = clockFace(now(), "UTC");
  const speed = rate() === 1 ? "" : ` ×${rate()}`;
  const toggle = document.getElementById("panel-toggle");
  toggle.setAttribute("aria-label", "Simulated world");
  toggle.title = `The sandbox's time: ${day}, ${time} UTC${speed}`;
  const text = `${day.replace(/ \d{4}$/, "")} ${time.slice(0, 5)}${speed}`;
  if (toggle.dataset.shows === text) return;
  toggle.dataset.shows = text;
  replace(
    toggle,
    icon("globe"),
    h("span", { class: "clock-date" }, day.replace(/ \d{4}$/, "")),
    h("span", {}, time.slice(0, 5) + speed),
  );
}
