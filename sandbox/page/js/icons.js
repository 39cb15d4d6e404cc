// Line icons, drawn on a 20 × 20 grid in the colour of the text around them.

import { svg } from "./dom.js";

const PATHS = {
  hash: "M4 7.5h13M3 12.5h13M8 3 6 17M14 3l-2 14",
  mail: "M3 5h14v10H3zM3 6l7 5 7-5",
  home: "M3 9.5 10 4l7 5.5V16h-4.5v-4h-5v4H3z",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  globe: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M3 10h14M10 3c5 4 5 10 0 14M10 3c-5 4-5 10 0 14",
  close: "M5 5l10 10M15 5 5 15",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4M13 13l4 4",
  send: "M3 10 17 4l-5 13-2.5-5.5zM9.5 11.5 17 4",
  thread: "M4 4h12v9H9l-4 3.5V13H4z",
  file: "M5 3h7l3 3v11H5zM12 3v3h3",
  download: "M10 3v9M6.5 9l3.5 3.5L13.5 9M4 16h12",
  chevron: "M7 5l5 5-5 5",
  down: "M10 4v11M5.5 11l4.5 4.5 4.5-4.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  eye: "M2.5 10c3-6.5 12-6.5 15 0-3 6.5-12 6.5-15 0M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 6v4l3 2",
  shield: "M10 3l6 2v5c0 4-3 6-6 7-3-1-6-3-6-7V5zM7 10l2.2 2.2L13.2 8",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
