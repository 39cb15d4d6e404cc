// Package repositories: what they will publish next, and publishing it now.

import { post } from "../api.js";
import { h, keyed } from "../dom.js";
import { now } from "../clock.js";
import { dateNode } from "../text/dates.js";
import { section } from "./section.js";

const SHOWN = 4;
const body = h("div", { class: "repositories" });
let run;

export function repositoriesSection(runner) {
  run = runner;
  return section("Package repositories", { testid: "panel-repositories", open: false }, body);
}

/** `moves` holds past ones too: shown is what comes next. */
export function showRepositories({ repositories }) {
  const next = repositories.map(({ name, moves }) => ({
    name,
    moves: moves.filter((move) => new Date(move.at) > now()).slice(0, SHOWN),
  }));
  keyed(body, next, { key: (repository) => repository.name, render: repositoryNode });
}

function repositoryNode({ name, moves }) {
  const onclick = () => run(() => post(`/sandbox/world/repositories/${encodeURIComponent(name)}/move`, {}));
  const button = h(
    "button",
    {
      type: "button",
      class: "button button-small",
      "aria-label": `Move ${name} now`,
      dataset: { testid: "repository-move", focus: "move" },
      onclick,
    },
    "Move now",
  );
  const list = moves.map((move) => {
    const at = new Date(move.at);
    const when = [dateNode(at, "{date_short_pretty} {time}", { atStart: true }), " · ", dateNode(at, "{ago}")];
    return h(
      "li",
      {},
      when,
      h("span", { class: "hint", title: move.packages.join("\n") }, ` · ${packagesText(move.packages)}`),
    );
  });
  return h(
    "div",
    { class: "repository" },
    h("div", { class: "repository-head" }, h("span", {}, name), button),
    list.length ? h("ul", {}, list) : h("p", { class: "hint" }, "No move planned."),
  );
}

/** `packages` are "name version". */
function packagesText(packages) {
  const names = packages.map((text) => text.split(" ")[0]);
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
