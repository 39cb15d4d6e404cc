"""`patchgate sandbox` as a process: it says where its page is, serves it, answers there, and ends with Ctrl+C."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.town import wait_for
from tests.unit.workspace.harness import Person, http

# The distributions of the sandbox extra, as they are imported.
EXTRA = ["moto", "flask", "flask_cors", "starlette", "websockets", "aiosmtpd", "croniter", "multipart"]


def environment() -> dict[str, str]:
    """As of somebody who has set nothing up."""
    ours = ("AWS_", "SLACK_", "PATCHGATE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator["subprocess.Popen[str]"]:
    folder = tmp_path_factory.mktemp("sandbox")
    with (
        open(folder / "stderr", "w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "bot", "sandbox", "--port", "0"],
            env={**environment(), "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url(sandbox: "subprocess.Popen[str]") -> str:
    """What it prints: the address, once the page can be used."""
    assert sandbox.stdout is not None
    line = sandbox.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found.group()


def test_it_serves_the_page(url: str) -> None:
    status, body = http("GET", f"{url}/")
    assert status == 200
    assert b"<title>" in body


def test_it_answers_help_and_scans_whatever_proxy_the_environment_names(url: str) -> None:
    ann = Person(url, "U0ANN")
    assert ann.command("/patch help") == {"ok": True}
    answer = wait_for(lambda: [each for each in ann.history() if each["ephemeral"]], "the help")[-1]
    assert "scan" in str(answer["blocks"])
    ann.command("/patch scan orders-db nonprod")
    wait_for(lambda: any("succeeded" in each["text"] for each in ann.history()), "the scan's end")


def test_ctrl_c_ends_it_with_status_0_and_leaves_nothing(sandbox: "subprocess.Popen[str]", url: str) -> None:
    folder = Path(os.readlink(f"/proc/{sandbox.pid}/cwd"))
    sandbox.send_signal(signal.SIGINT)
    assert sandbox.wait(30) == 0
    said = (folder / "stderr").read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert [path.name for path in folder.iterdir()] == ["stderr"]


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("-m", "bot", "sandbox", "--port", str(port), folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Port {port} can't be used (Address already in use); give another with --port.\n"


def test_without_the_sandbox_extra_it_says_what_to_install(tmp_path: Path) -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({EXTRA})); from bot.__main__ import main; main(['sandbox'])"
    ended = run("-c", block, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    sentence = r"Error: The sandbox is not installed here \((\w+) is missing\); install patchgate\[sandbox\]\.\n"
    found = re.fullmatch(sentence, ended.stderr)
    assert found, ended.stderr
    assert found[1] in EXTRA


def test_without_the_sandbox_extra_the_rest_works(tmp_path: Path) -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({EXTRA})); from bot.__main__ import main; main(['run'])"
    ended = run("-c", block, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("SLACK_BOT_TOKEN and SLACK_APP_TOKEN must be set; nothing runs.")


def run(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
