// What could come next in a slash command, from the registered commands' usage hints.

import { workspace } from "./session.js";

const ENVIRONMENT_WORDS = new Set(["ENV", "FROM", "TO"]);

/** `[{insert, label, hint}]` for the text typed so far; `insert` is the whole new text. */
export function suggest(text) {
  if (!text.startsWith("/") || text.includes("\n")) return [];
  const [name, ...words] = text.split(/ +/);
  if (!words.length) {
    return workspace.commands
      .filter((command) => command.command.startsWith(name))
      .map((command) => ({ insert: `${command.command} `, label: command.command, hint: command.usage_hint }));
  }
  const command = workspace.commands.find((each) => each.command === name);
  if (!command) return [];
  const typed = words.at(-1);
  const usages = parseHint(command.usage_hint ?? "");
  if (words.length === 1) return subcommands(usages, name, typed);
  const usage = usages.find((each) => each.word === words[0]);
  const known = argumentValues(usage?.args[words.length - 2], words[1]);
  return known
    .filter((value) => value.startsWith(typed) && value !== typed)
    .map((value) => ({
      insert: `${[name, ...words.slice(0, -1), value].join(" ")} `,
      label: value,
      hint: usage.args[words.length - 2],
    }));
}

/** The usage line of the subcommand being typed, for example `scan APP ENV`. */
export function usageOf(text) {
  const [name, word, ...rest] = text.split(/ +/);
  const command = workspace.commands.find((each) => each.command === name);
  if (!command || word === undefined || !rest.length) return command?.usage_hint ?? "";
  const usage = parseHint(command.usage_hint ?? "").find((each) => each.word === word);
  return usage ? `${name} ${usage.text}` : (command.usage_hint ?? "");
}

function subcommands(usages, name, typed) {
  return usages
    .filter((usage) => usage.word.startsWith(typed) && usage.word !== typed)
    .map((usage) => ({ insert: `${name} ${usage.word}${usage.args.length ? " " : ""}`, label: usage.text, hint: "" }));
}

/** `scan APP ENV | help [COMMAND]` → `[{word: "scan", args: ["APP", "ENV"], text: "scan APP ENV"}, …]`. */
function parseHint(hint) {
  const outer = /^\[([^[\]]*\|[^[\]]*)\]$/.exec(hint.trim());
  return (outer ? outer[1] : hint)
    .split(/\s*[|·,;]\s*/)
    .map((text) => text.trim())
    .filter((text) => /^[a-z]/.test(text))
    .map((text) => {
      const [word, ...args] = text.split(/\s+/);
      return { word, args: args.map((arg) => arg.replace(/[^A-Za-z]/g, "").toUpperCase()), text };
    });
}

function argumentValues(kind, applicationName) {
  if (kind === "APP") return workspace.applications.map((application) => application.name);
  if (!ENVIRONMENT_WORDS.has(kind)) return [];
  const application = workspace.applications.find((each) => each.name === applicationName);
  return application?.environments.map((environment) => environment.name) ?? [];
}
