"""The small part of sh and PowerShell that simulated nodes understand, enough for hooks of an application.

A line is simple commands joined by && and ||. Every other word fails with 127, as on a node that lacks the program,
and what only a real shell can do (pipes, substitution, loops) with 2, so that nobody takes a story for more than it is.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

from sandbox.aws.application import NodeApplication

Words = list[str]
_JOINED = re.compile(r"\s*(&&|\|\|)\s*")
_BEYOND = re.compile(r"[|;<>`]|\$\(|^(if|while|for|case|until)\b")
_QUIET = re.compile(r"\s*[12]?&?>\s*(/dev/null|&[12])")
_UNKNOWN, _UNSUPPORTED = 127, 2


class Exited(Exception):
    """`exit N`."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Shell:
    """One script on one node. `builtins` are words that the step's own surroundings add."""

    def __init__(
        self, application: NodeApplication, builtins: Mapping[str, Callable[[Words], int]], *, powershell: bool
    ) -> None:
        self._application = application
        known = _POWERSHELL if powershell else _SH
        self._commands = {**known, **{name: _alone(act) for name, act in builtins.items()}}
        self._powershell = powershell
        self.said: list[str] = []
        self.complaints: list[str] = []

    def run(self, lines: list[str]) -> int:
        """The script's exit code: its last command's, or with `set -e` the first that failed."""
        code, stops = 0, False
        try:
            for line in _logical(lines):
                if re.fullmatch(r"set -[euxo]*e[euxo]*( pipefail)?|\$ErrorActionPreference = .Stop.", line):
                    stops = True
                    continue
                code = self._line(line)
                if code and stops:
                    return code
        except Exited as left:
            return left.code
        return code

    def _line(self, line: str) -> int:
        first, *rest = _JOINED.split(_QUIET.sub("", line))
        code = self._command(first)
        for joint, command in zip(rest[::2], rest[1::2], strict=True):
            if (code == 0) == (joint == "&&"):
                code = self._command(command)
        return code

    def _command(self, command: str) -> int:
        if _BEYOND.search(command):
            return self._fails(_UNSUPPORTED, f"the sandbox's shell does not understand: {command}")
        try:
            words = _bare(shlex.split(command, comments=True))
        except ValueError:
            return self._fails(_UNSUPPORTED, f"unmatched quote: {command}")
        if not words:
            return 0
        name = words[0].lower() if self._powershell else words[0]
        act = self._commands.get(name)
        if act is None:
            return self._fails(_UNKNOWN, f"{words[0]}: command not found")
        code = act(self._application, words[1:])
        if name in ("echo", "write-output"):
            self.said.append(" ".join(words[1:]))
        elif code:
            self.complaints.append(f"{command}: failed with {code}")
        return code

    def _fails(self, code: int, complaint: str) -> int:
        self.complaints.append(complaint)
        return code


def _logical(lines: list[str]) -> Iterator[str]:
    """Lines without blank ones, comments and settings that change nothing here."""
    for block in lines:
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if line.strip() and not line.lstrip().startswith("#") and not re.fullmatch(r"set -[ux]+", line.strip()):
                yield line.strip()


def _bare(words: Words) -> Words:
    """Without who runs it and for how long: `runuser -u node -- pm2 stop orders` → `pm2 stop orders`."""
    if words[:1] == ["sudo"]:
        return _bare(words[3:] if words[1:2] == ["-u"] else words[1:])
    if words[:2] == ["runuser", "-u"]:
        return _bare(words[4:] if words[3:4] == ["--"] else words[3:])
    return _bare(words[2:]) if words[:1] == ["timeout"] else words


def _alone(act: Callable[[Words], int]) -> Callable[[NodeApplication, Words], int]:
    return lambda application, words: act(words)


def _systemctl(application: NodeApplication, words: Words) -> int:
    return _manage(application.services, words)


def _pm2(application: NodeApplication, words: Words) -> int:
    if words == ["save"]:
        application.kept = dict(application.processes)
        return 0
    return _manage(application.processes, words)


def _manage(known: dict[str, bool], words: Words) -> int:
    wanted = {"start": True, "stop": False, "restart": True}
    if len(words) != 2 or words[0] not in (*wanted, "is-active"):
        return _UNSUPPORTED
    action, name = words
    running = known.setdefault(name, True)
    if action == "is-active":
        return 0 if running else 3
    known[name] = wanted[action]
    return 0


def _service(running: bool) -> Callable[[NodeApplication, Words], int]:
    """PowerShell's Start-Service, Stop-Service and Restart-Service."""

    def act(application: NodeApplication, words: Words) -> int:
        names = [word for word in words if word not in ("-Name", "-Force")]
        if len(names) != 1:
            return 1
        application.services[names[0]] = running
        return 0

    return act


def _iptables(application: NodeApplication, words: Words) -> int:
    """Insert, delete or look for a rule that keeps others from a port."""
    action = words[0] if words else ""
    if action not in ("-I", "-D", "-C") or "--dport" not in words[:-1]:
        return _UNSUPPORTED
    port = words[words.index("--dport") + 1]
    if action == "-I":
        application.drained.add(port)
        return 0
    if port not in application.drained:
        return 1
    if action == "-D":
        application.drained.discard(port)
    return 0


def _npm(application: NodeApplication, words: Words) -> int:
    if not {"ci", "update"} & set(words):
        return _UNSUPPORTED
    application.updates += 1
    return 0


def _dump(application: NodeApplication, words: Words) -> int:
    application.dumps += 1
    return 0


def _curl(application: NodeApplication, words: Words) -> int:
    """Ask the application on this node: 7 where nothing listens, 22 where it answers with an error (`--fail`)."""
    if not application.running:
        return 7
    return 0 if application.healthy else 22


def _web_request(application: NodeApplication, words: Words) -> int:
    return 0 if application.healthy else 1


def _test(application: NodeApplication, words: Words) -> int:
    return 0 if words[:1] in (["-e"], ["-f"]) and set(words[1:]) & application.files else 1


def _touch(application: NodeApplication, words: Words) -> int:
    application.files |= set(words)
    return 0


def _remove(application: NodeApplication, words: Words) -> int:
    application.files -= set(words)
    return 0


def _exit(application: NodeApplication, words: Words) -> int:
    raise Exited(int(words[0]) if words and words[0].isdigit() else 0)


def _fine(application: NodeApplication, words: Words) -> int:
    return 0


_Commands = dict[str, Callable[[NodeApplication, Words], int]]
_BOTH: _Commands = {"exit": _exit, "cd": _fine, "echo": _fine}
_SH: _Commands = {
    **_BOTH,
    "systemctl": _systemctl,
    "pm2": _pm2,
    "iptables": _iptables,
    "npm": _npm,
    "pg_dump": _dump,
    "pg_dumpall": _dump,
    "curl": _curl,
    "test": _test,
    "touch": _touch,
    "rm": _remove,
    "sleep": _fine,
    "true": _fine,
    "false": lambda application, words: 1,
}
_POWERSHELL: _Commands = {
    **_BOTH,
    "start-service": _service(running=True),
    "stop-service": _service(running=False),
    "restart-service": _service(running=True),
    "invoke-webrequest": _web_request,
    "write-output": _fine,
}
