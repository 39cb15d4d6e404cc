// The sidebar and the panel: columns where there is room, drawers over the messages where there is none.

import { icon } from "./icons.js";

const PANEL_KEY = "patchgate.panel";
const sidebarNarrow = matchMedia("(max-width: 760px)");
const panelNarrow = matchMedia("(max-width: 1180px)");
const scrim = document.getElementById("scrim");

const drawers = {
  sidebar: {
    pane: document.getElementById("sidebar"),
    toggle: document.getElementById("sidebar-toggle"),
    narrow: sidebarNarrow,
  },
  panel: {
    pane: document.getElementById("panel"),
    toggle: document.getElementById("panel-toggle"),
    narrow: panelNarrow,
  },
};

/** `panelShown(open)` is called whenever the panel appears or goes. */
export function setUpDrawers(panelShown) {
  drawers.sidebar.toggle.append(icon("menu"));
  drawers.panel.shown = panelShown;
  for (const [name, drawer] of Object.entries(drawers)) {
    drawer.toggle.addEventListener("click", () => setDrawer(name, drawer.pane.hidden));
    drawer.narrow.addEventListener("change", reset);
  }
  scrim.addEventListener("click", closeDrawers);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !scrim.hidden) closeDrawers();
  });
  reset();
}

/** Closes what lies over the messages; columns stay. */
export function closeDrawers() {
  for (const [name, drawer] of Object.entries(drawers)) {
    if (drawer.narrow.matches && !drawer.pane.hidden) {
      setDrawer(name, false);
      drawer.toggle.focus();
    }
  }
}

function reset() {
  setDrawer("sidebar", !sidebarNarrow.matches);
  setDrawer("panel", !panelNarrow.matches && localStorage.getItem(PANEL_KEY) !== "closed");
}

function setDrawer(name, open) {
  const { pane, toggle, narrow, shown } = drawers[name];
  const changed = pane.hidden === open;
  pane.hidden = !open;
  toggle.setAttribute("aria-expanded", String(open));
  if (name === "panel" && !narrow.matches && changed) localStorage.setItem(PANEL_KEY, open ? "open" : "closed");
  scrim.hidden = !Object.values(drawers).some((drawer) => drawer.narrow.matches && !drawer.pane.hidden);
  if (open && narrow.matches) pane.querySelector("button, [tabindex]")?.focus();
  shown?.(open);
}
