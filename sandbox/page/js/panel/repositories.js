// Package repositories: what they will publish next, and publishing it now.

import { post } from "../api.js";
import { h, keyed } from "../dom.js";
import { ago, dateNode } from "../text/dates.js";
import { section } from "./section.js";

const SHOWN = 4;
const body = h("div", { class: "repositories" });
let run;

export function repositoriesSection(runner) {
  run = runner;
  return section("Package repositories", { testid: "panel-repositories", open: false }, body);
}

export function showRepositories({ repositories }) {
  keyed(body, repositories, { key: (repository) => repository.name, render: repositoryNode });
}

function repositoryNode({ name, moves }) {
  const onclick = () => run(() => post(`/sandbox/world/repositories/${encodeURIComponent(name)}/move`, {}));
  const button = h("button", { type: "button", class: "button button-small", "aria-label": `Move ${name} now`, dataset: { testid: "repository-move", focus: "move" }, onclick }, "Move now");
  const list = moves.slice(0, SHOWN).map((move) =>
    h("li", {}, dateNode(new Date(move.at), "{date_short_pretty}", { atStart: true }), h("span", { class: "hint" }, ` ${ago(new Date(move.at))} · ${packagesText(move.packages)}`)),
  );
  return h("div", { class: "repository" }, h("div", { class: "repository-head" }, h("span", {}, name), button), list.length ? h("ul", {}, list) : h("p", { class: "hint" }, "No move planned."));
}

function packagesText(packages) {
  const names = Array.isArray(packages) ? packages.map((each) => (typeof each === "string" ? each : each.name)) : [String(packages)];
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
