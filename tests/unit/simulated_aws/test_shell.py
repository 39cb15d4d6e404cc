"""The shell of simulated nodes: few words, and the rest is refused rather than guessed."""

import pytest

from sandbox.aws.application import NodeApplication
from sandbox.aws.shell import Shell


def run(text: str, application: NodeApplication | None = None, *, powershell: bool = False) -> tuple[int, str]:
    shell = Shell(application or NodeApplication(), {}, powershell=powershell)
    return shell.run([text]), "\n".join(shell.said + shell.complaints)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("# nothing\n\ntrue", 0),
        ("false\ntrue", 0),
        ("set -e\nfalse\ntrue", 1),
        ("set -euo pipefail\nfalse\ntrue", 1),
        ("true && false || exit 3\nexit 4", 3),
        ("false && exit 3\nexit 4", 4),
        ("exit", 0),
        ("systemctl stop a\nsystemctl is-active a", 3),
        ("systemctl is-active a", 0),
        ("systemctl mask a", 2),
        ("sudo -u node timeout 5 pm2 restart \\\n  a", 0),
        ("npm audit", 2),
        ("iptables -D INPUT -p tcp --dport 1 -j REJECT", 1),
        ("iptables -L", 2),
        ("curl http://localhost/health > /dev/null 2>&1", 0),
        ("systemctl stop a\ncurl http://localhost/health", 7),
        ("touch /a\ntest -e /a", 0),
        ("touch /a\nrm /a\ntest -f /a", 1),
        ("test -d /a", 1),
        ("Stop-Service a", 127),
        ("cat /etc/passwd | wc -l", 2),
        ("echo $(date)", 2),
        ("for a in b; do true; done", 2),
        ("echo 'unmatched", 2),
    ],
)
def test_exit_codes(text: str, code: int) -> None:
    assert run(text)[0] == code


def test_what_it_does_not_know_is_named() -> None:
    assert run("fly-to the moon") == (127, "fly-to: command not found")
    assert run("a | b") == (2, "the sandbox's shell does not understand: a | b")
    assert run("echo hello there")[1] == "hello there"


def test_after_a_boot_rules_are_gone_services_are_back_and_processes_as_they_were_saved() -> None:
    application = NodeApplication()
    run("iptables -I INPUT -p tcp --dport 3000 -j REJECT\nsystemctl stop orders\npm2 stop web", application)
    assert (application.drained, application.running) == ({"3000"}, False)
    application.booted()
    assert (application.drained, application.services, application.processes) == (
        set(),
        {"orders": True},
        {"web": True},
    )
    run("pm2 stop web\npm2 save\npm2 start web", application)
    application.booted()
    assert application.processes == {"web": False}


def test_powershell_knows_its_own_words_in_any_case() -> None:
    application = NodeApplication()
    assert run("stop-SERVICE Orders", application, powershell=True)[0] == 0
    assert application.services == {"Orders": False}
    assert run("Restart-Service -Force -Name Orders", application, powershell=True)[0] == 0
    assert application.healthy
    assert run("Stop-Service", powershell=True)[0] == 1
    assert run("systemctl stop orders", powershell=True)[0] == 127
    assert run("Write-Output done", powershell=True) == (0, "done")
