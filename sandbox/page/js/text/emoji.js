// Emoji by short name. Those that carry meaning in the bot's messages are drawn here, because a machine
// without a colour emoji font would show boxes; the rest are left to the reader's fonts.

import { h, svg } from "../dom.js";

const GREEN = "#2f9e5b";
const YELLOW = "#e0a91b";
const RED = "#d64545";
const BLUE = "#3b82d6";
const GREY = "#8b949e";
const BROWN = "#b7793f";

const disc = (fill) => [["circle", { cx: 10, cy: 10, r: 7.5, fill }]];
const fill = (d, color) => ["path", { d, fill: color }];
const line = (d, color, width = 2) => [
  "path",
  { d, fill: "none", stroke: color, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" },
];
const tile = (color) => ["rect", { x: 2.5, y: 2.5, width: 15, height: 15, rx: 3.5, fill: color }];
const ENVELOPE = [fill("M2 5h16v11H2z", "#cfd8e3"), line("M2.5 5.5 10 11.5 17.5 5.5", "#6b7c93", 1.6)];
const CLIP = [fill("M4 2.5h12v15H4z", "#e9edf2"), line("M7 7h6M7 10h6M7 13h4", "#6b7c93", 1.5)];
const BELL = [
  fill("M10 2.5c-3.6 0-5 2.8-5 6 0 3-1 4-2 5.5h14c-1-1.5-2-2.5-2-5.5 0-3.2-1.4-6-5-6z", YELLOW),
  fill("M8 15.5h4a2 2 0 0 1-4 0z", BROWN),
];
const LOCK = [
  line("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", GREY),
  fill("M4.5 8.5h11V17h-11z", YELLOW),
  fill("M9.2 11h1.6v3.5H9.2z", "#6b4d0f"),
];
const SHIELD = [
  fill("M10 2l7 2.5v5c0 4.5-3.5 7-7 8.5-3.5-1.5-7-4-7-8.5v-5z", BLUE),
  line("M6.8 10l2.3 2.3 4.1-4.3", "#fff"),
];

const DRAWN = {
  white_check_mark: ["✅", [tile(GREEN), line("M6 10.3l2.8 2.8L14 7.3", "#fff", 2.3)]],
  heavy_check_mark: ["✔", [line("M4 10.5l4 4L16 6", GREEN, 2.8)]],
  x: ["❌", [line("M4.5 4.5l11 11M15.5 4.5l-11 11", RED, 3)]],
  warning: ["⚠", [fill("M10 2 19 17.5H1z", YELLOW), line("M10 7.5v4.5M10 14.8v.1", "#4a3500", 2)]],
  no_entry: ["⛔", [...disc(RED), fill("M5.5 8.7h9v2.6h-9z", "#fff")]],
  no_entry_sign: ["🚫", [line("M10 3a7 7 0 1 0 .01 0M5.2 5.2l9.6 9.6", RED, 2.2)]],
  hourglass_flowing_sand: [
    "⏳",
    [
      line("M5 2.5h10M5 17.5h10", BROWN),
      fill("M6 3.5h8c0 4-2.5 4.5-3.3 6.5.8 2 3.3 2.5 3.3 6.5H6c0-4 2.5-4.5 3.3-6.5C8.5 8 6 7.5 6 3.5z", "#dfe6ee"),
      fill("M7.5 5.5h5L10 9zM7 16c.5-2 2-2.5 3-2.5s2.5.5 3 2.5z", YELLOW),
    ],
  ],
  rocket: [
    "🚀",
    [
      fill("M17.5 2.5c-5 0-8.5 3-10.5 7l3.5 3.5c4-2 7-5.5 7-10.5z", "#c9d3df"),
      fill("M7.5 9 3.5 10l2.5-4 4-.5zM11 12.5l-1 4 4-2.5.5-4z", RED),
      fill("M6 12l-3 5 5-3z", YELLOW),
      ["circle", { cx: 12.8, cy: 7.2, r: 1.7, fill: BLUE }],
    ],
  ],
  mag: [
    "🔍",
    [
      ["circle", { cx: 8.5, cy: 8.5, r: 5, fill: "#d5e7fb", stroke: "#6b7c93", "stroke-width": 2 }],
      line("M12.5 12.5 17 17", BROWN, 2.8),
    ],
  ],
  package: [
    "📦",
    [
      fill("M2.5 6 10 2.5 17.5 6v8.5L10 18l-7.5-3.5z", BROWN),
      fill("M2.5 6 10 9.5 17.5 6 10 2.5z", "#d9a066"),
      line("M10 9.5V18M6 4.4l7.5 3.5", "#8a5a2b", 1.3),
    ],
  ],
  lock: ["🔒", LOCK],
  unlock: ["🔓", [line("M6.5 9V5.5a3.5 3.5 0 0 1 6.8-1", GREY), ...LOCK.slice(1)]],
  calendar: [
    "📅",
    [
      fill("M3 4h14v13H3z", "#e9edf2"),
      fill("M3 4h14v4H3z", RED),
      line("M6.5 11.5h.1M10 11.5h.1M13.5 11.5h.1M6.5 14.5h.1M10 14.5h.1", "#6b7c93", 2),
    ],
  ],
  bell: ["🔔", BELL],
  no_bell: ["🔕", [...BELL, line("M3 3l14 14", RED)]],
  eyes: [
    "👀",
    [
      ["ellipse", { cx: 6, cy: 10, rx: 4, ry: 5.5, fill: "#fff", stroke: GREY }],
      ["ellipse", { cx: 14, cy: 10, rx: 4, ry: 5.5, fill: "#fff", stroke: GREY }],
      ["circle", { cx: 5, cy: 11, r: 2, fill: "#333" }],
      ["circle", { cx: 13, cy: 11, r: 2, fill: "#333" }],
    ],
  ],
  memo: ["📝", [...CLIP, line("M17.5 8 11 16", YELLOW, 2.5)]],
  clipboard: ["📋", CLIP],
  arrow_right: ["➡", [tile(BLUE), line("M6 10h8M10.8 6.5 14.3 10l-3.5 3.5", "#fff", 1.9)]],
  arrow_up: ["⬆", [tile(BLUE), line("M10 14V6M6.5 9.5 10 6l3.5 3.5", "#fff", 1.9)]],
  arrow_down: ["⬇", [tile(BLUE), line("M10 6v8M6.5 10.5 10 14l3.5-3.5", "#fff", 1.9)]],
  repeat: [
    "🔁",
    [tile(BLUE), line("M5.5 9.5V8h8M11.5 5.8 13.7 8l-2.2 2.2M14.5 10.5V12h-8M8.5 14.2 6.3 12l2.2-2.2", "#fff", 1.4)],
  ],
  large_green_circle: ["🟢", disc(GREEN)],
  large_yellow_circle: ["🟡", disc(YELLOW)],
  large_orange_circle: ["🟠", disc("#e07b28")],
  red_circle: ["🔴", disc(RED)],
  large_blue_circle: ["🔵", disc(BLUE)],
  white_circle: ["⚪", [["circle", { cx: 10, cy: 10, r: 7, fill: "#f6f8fa", stroke: GREY }]]],
  black_circle: ["⚫", disc("#3d444d")],
  black_square_button: ["🔲", [tile("#57606a"), ["rect", { x: 6, y: 6, width: 8, height: 8, rx: 1.5, fill: "#fff" }]]],
  white_square_button: [
    "🔳",
    [tile("#d0d7de"), ["rect", { x: 6, y: 6, width: 8, height: 8, rx: 1.5, fill: "#57606a" }]],
  ],
  rotating_light: [
    "🚨",
    [
      fill("M5 15c0-6 1.5-9 5-9s5 3 5 9z", RED),
      fill("M3.5 14.5h13V17.5h-13z", "#57606a"),
      line("M10 1.5v2M3.5 4l1.5 1.5M16.5 4 15 5.5", YELLOW, 1.6),
    ],
  ],
  wrench: [
    "🔧",
    [
      line("M4.5 15.5 11 9", GREY, 3.4),
      fill("M17 6.5 14.5 9 11 5.5 13.5 3c-3-1-6 1.5-5.5 4.5 1 4 5.5 4 7.5 2.5 1.2-1 1.8-2.2 1.5-3.5z", GREY),
    ],
  ],
  envelope: ["✉", ENVELOPE],
  email: ["📧", ENVELOPE],
  shield: ["🛡", SHIELD],
  question: ["❓", [line("M6.5 7c.3-5 7.5-4.5 7 0-.3 2.5-3.5 2.5-3.5 5.5M10 16.3v.1", RED, 2.5)]],
  grey_question: ["❔", [line("M6.5 7c.3-5 7.5-4.5 7 0-.3 2.5-3.5 2.5-3.5 5.5M10 16.3v.1", GREY, 2.5)]],
  exclamation: ["❗", [line("M10 3.5v8.5M10 16.3v.1", RED, 2.8)]],
  information_source: ["ℹ", [tile(BLUE), line("M10 9.5v4.5M10 6.3v.1", "#fff", 2.2)]],
  double_vertical_bar: ["⏸", [tile(BLUE), line("M7.8 6.5v7M12.2 6.5v7", "#fff", 2.2)]],
  pushpin: ["📌", [fill("M8 2.5h6l-1 5 2.5 3h-9l2.5-3z", RED), line("M10.8 10.5 10 17.5", GREY, 1.7)]],
};

const FONT = {
  tada: "🎉",
  wave: "👋",
  thumbsup: "👍",
  "+1": "👍",
  thumbsdown: "👎",
  "-1": "👎",
  point_right: "👉",
  bulb: "💡",
  gear: "⚙️",
  hammer_and_wrench: "🛠️",
  stopwatch: "⏱️",
  alarm_clock: "⏰",
  snowflake: "❄️",
  fire: "🔥",
  construction: "🚧",
  key: "🔑",
  link: "🔗",
  computer: "💻",
  robot_face: "🤖",
  speech_balloon: "💬",
  sos: "🆘",
  chart_with_upwards_trend: "📈",
  bar_chart: "📊",
  page_facing_up: "📄",
  open_file_folder: "📂",
  floppy_disk: "💾",
  zap: "⚡",
  sparkles: "✨",
  busts_in_silhouette: "👥",
  bust_in_silhouette: "👤",
  raised_hands: "🙌",
  smile: "😄",
  slightly_smiling_face: "🙂",
  thinking_face: "🤔",
  heavy_minus_sign: "➖",
  heavy_plus_sign: "➕",
  zzz: "💤",
  ok: "🆗",
  arrow_left: "⬅️",
  arrows_counterclockwise: "🔄",
  leftwards_arrow_with_hook: "↩️",
  recycle: "♻️",
  stop_sign: "🛑",
};

const ALIAS = {
  mag_right: "mag",
  hourglass: "hourglass_flowing_sand",
  date: "calendar",
  pencil: "memo",
  ballot_box_with_check: "white_check_mark",
};
const BY_CHARACTER = Object.fromEntries(Object.entries(DRAWN).map(([name, [character]]) => [character, name]));
const TOKEN = new RegExp(
  `:([a-z0-9_+-]+):(?::skin-tone-[2-6]:)?|(${Object.keys(BY_CHARACTER).join("|")})\\uFE0F?`,
  "gu",
);

/** The node for a short name, or null if there is no such emoji. */
export function emojiNode(given) {
  const name = ALIAS[given] ?? given;
  const label = `${name.replaceAll("_", " ")}`;
  if (Object.hasOwn(DRAWN, name)) {
    const shapes = DRAWN[name][1].map(([tag, attributes]) => svg(tag, attributes));
    const props = { viewBox: "0 0 20 20", class: "emoji", role: "img", "aria-label": label };
    return svg("svg", props, svg("title", {}, `:${name}:`), ...shapes);
  }
  if (!Object.hasOwn(FONT, name)) return null;
  return h("span", { class: "emoji", role: "img", "aria-label": label, title: `:${name}:` }, FONT[name]);
}

/** Plain text with its emoji as nodes; names that are no emoji stay as they are written. */
export function withEmoji(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(TOKEN)) {
    const node = emojiNode(match[1] ?? BY_CHARACTER[match[2]]);
    if (!node) continue;
    nodes.push(text.slice(done, match.index), node);
    done = match.index + match[0].length;
  }
  nodes.push(text.slice(done));
  return nodes.filter((node) => node !== "");
}
