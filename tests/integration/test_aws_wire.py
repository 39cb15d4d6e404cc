"""A send over real HTTP to a server that fails in every way a wire can: what it means, and that it is sent once."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aws.commands import SendRequest
from aws.errors import AccessRefused, AwsError, DefiniteRefusal, Doubt, Throttled, WrongAccount
from aws.patching import PatchManager
from aws.sessions import Sessions
from aws.target import Target

ACCOUNT = "111111111111"
TARGET = Target(ACCOUNT, "eu-west-1")
ROLE = Target(ACCOUNT, "eu-west-1", f"arn:aws:iam::{ACCOUNT}:role/patchgate")
REQUEST = SendRequest(
    document_name="AWS-RunPatchBaseline",
    document_version="1",
    document_hash="a" * 64,
    instance_ids=("i-0123456789abcdef0",),
    parameters={"Operation": ["Scan"]},
    comment="patchgate scan-1 6f9619ff-8b86-4011-b42d-00c04fc964ff",
    timeout_seconds=600,
    max_concurrency="50",
    max_errors="0",
)
CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/bot</Arn><UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""

ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>not-a-secret</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
ROLE_REFUSED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No more.</Message>
</Error><RequestId>1</RequestId></ErrorResponse>"""

Behaviour = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Answers GetCallerIdentity itself, and everything else by `behaviour`.

    `requests` are the SSM operations received, `ports` the connections that they came on.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = ACCOUNT
        self.behaviour: Behaviour = answer(200, {})
        self.role_behaviour: Behaviour = give_role
        self.confirmations = 0
        self.assumptions = 0
        self.requests: list[str] = []
        self.ports: list[int] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"Action=AssumeRole" in body:
            self.server.assumptions += 1
            self.server.role_behaviour(self)
            return
        if "X-Amz-Target" not in self.headers:
            self.server.confirmations += 1
            self.reply(200, CALLER.format(account=self.server.account).encode(), "text/xml")
            return
        self.server.requests.append(self.headers["X-Amz-Target"].partition(".")[2])
        self.server.ports.append(self.client_address[1])
        self.server.behaviour(self)

    def reply(self, status: int, body: bytes, content_type: str = "application/x-amz-json-1.1") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the test's own report is enough."""


def give_role(handler: Handler) -> None:
    """Credentials that end in five minutes, which botocore renews before every request."""
    expiration = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    handler.reply(200, ASSUMED.format(expiration=expiration).encode(), "text/xml")


def refuse_role(handler: Handler) -> None:
    handler.reply(403, ROLE_REFUSED, "text/xml")


def answer(status: int, body: object) -> Behaviour:
    return lambda handler: handler.reply(status, json.dumps(body).encode())


def text(status: int, body: bytes) -> Behaviour:
    return lambda handler: handler.reply(status, body, "text/html")


def refusal(status: int, code: str) -> Behaviour:
    return answer(status, {"__type": code, "message": "as the test says"})


def close_without_answer(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def answer_half(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"Command":')
    close_without_answer(handler)


def never_answer(handler: Handler) -> None:
    handler.close_connection = True
    handler.server.released.wait(30)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.released.set()
        running.shutdown()


def sessions_at(url: str) -> Sessions:
    environ = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_ENDPOINT_URL": url}
    return Sessions(environ, connect_timeout=2, read_timeout=0.5)


@dataclass(frozen=True)
class Case:
    name: str
    behaviour: Behaviour = field(compare=False)
    meaning: type[AwsError]


CASES = [
    Case("no answer, closed", close_without_answer, Doubt),
    Case("half an answer", answer_half, Doubt),
    Case("silence", never_answer, Doubt),
    Case("500", refusal(500, "InternalServerError"), Doubt),
    Case("502 from a proxy", text(502, b"<html>bad gateway</html>"), Doubt),
    Case("503", refusal(503, "ServiceUnavailable"), Doubt),
    Case("400 with the model's InternalServerError", refusal(400, "InternalServerError"), Doubt),
    Case("403 from a proxy", text(403, b"<html>forbidden</html>"), Doubt),
    Case("200 that is not JSON", text(200, b"<html>welcome</html>"), Doubt),
    Case("200 without a command", answer(200, {}), Doubt),
    Case("redirect", text(302, b""), Doubt),
    Case("throttling", refusal(400, "ThrottlingException"), Throttled),
    Case("access denied", refusal(400, "AccessDeniedException"), AccessRefused),
    Case("unknown node", refusal(400, "InvalidInstanceId"), DefiniteRefusal),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_i2_a_failed_send_is_made_once_and_means(server: Server, case: Case) -> None:
    server.behaviour = case.behaviour
    with pytest.raises(AwsError) as failed:
        PatchManager(sessions_at(server.url)).send(TARGET, REQUEST)
    assert type(failed.value) is case.meaning
    assert server.requests == ["SendCommand"]


def test_i2_a_send_never_rides_on_an_idle_connection(server: Server) -> None:
    command_id = "92853adf-ba41-4cd6-9a88-142d1aaaaaaa"
    server.behaviour = answer(200, {"Command": {"CommandId": command_id}})
    manager = PatchManager(sessions_at(server.url))
    assert [manager.send(TARGET, REQUEST) for _ in range(2)] == [command_id, command_id]
    assert len(set(server.ports)) == 2


def test_i2_an_endpoint_that_is_down_is_a_refusal() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as unused:
        port = unused.server_address[1]
    with pytest.raises(DefiniteRefusal) as failed:
        PatchManager(sessions_at(f"http://127.0.0.1:{port}")).send(TARGET, REQUEST)
    assert "nothing was done" in str(failed.value)


def test_i2_an_endpoint_that_goes_down_after_the_account_was_confirmed_is_a_refusal(server: Server) -> None:
    manager = PatchManager(sessions_at(server.url))
    server.behaviour = answer(200, {"Commands": []})
    assert manager.find(TARGET, "6f9619ff", datetime(2030, 1, 1, tzinfo=UTC)) is None
    server.shutdown()
    server.server_close()
    with pytest.raises(DefiniteRefusal) as failed:
        manager.send(TARGET, REQUEST)
    assert failed.value.operation == "SendCommand"


def test_nothing_is_asked_of_another_account(server: Server) -> None:
    server.account = "999999999999"
    with pytest.raises(WrongAccount) as refused:
        PatchManager(sessions_at(server.url)).send(TARGET, REQUEST)
    assert server.requests == []
    assert "999999999999" in str(refused.value)


def test_many_threads_confirm_an_account_once_and_share_a_client(server: Server) -> None:
    sessions = sessions_at(server.url)
    with ThreadPoolExecutor(16) as pool:
        clients = list(pool.map(lambda _: sessions.client("ssm", TARGET), range(16)))
    assert len({id(client) for client in clients}) == 1
    assert server.confirmations == 1


def test_an_account_that_could_not_be_confirmed_is_asked_again(server: Server) -> None:
    manager = PatchManager(sessions_at(server.url))
    server.account = "999999999999"
    with pytest.raises(WrongAccount):
        manager.ping(TARGET, ["i-0123456789abcdef0"])
    server.account = ACCOUNT
    server.behaviour = answer(200, {"InstanceInformationList": []})
    assert manager.ping(TARGET, ["i-0123456789abcdef0"]) == {}
    assert server.confirmations == 2


def test_a_role_is_renewed_before_its_credentials_end(server: Server) -> None:
    manager = PatchManager(sessions_at(server.url))
    server.behaviour = answer(200, {"InstanceInformationList": []})
    manager.ping(ROLE, ["i-0123456789abcdef0"])
    before = server.assumptions
    manager.ping(ROLE, ["i-0123456789abcdef0"])
    assert server.assumptions > before > 0


def test_i2_a_role_that_is_refused_at_the_send_is_a_refusal(server: Server) -> None:
    manager = PatchManager(sessions_at(server.url))
    server.behaviour = answer(200, {"InstanceInformationList": []})
    manager.ping(ROLE, ["i-0123456789abcdef0"])
    server.role_behaviour = refuse_role
    with pytest.raises(AccessRefused) as failed:
        manager.send(ROLE, REQUEST)
    assert failed.value.operation == "AssumeRole"
    assert "SendCommand" not in server.requests


def test_a_read_is_tried_again_after_throttling(server: Server) -> None:
    answers = iter([refusal(400, "ThrottlingException"), answer(200, {"InstanceInformationList": []})])
    server.behaviour = lambda handler: next(answers)(handler)
    assert PatchManager(sessions_at(server.url)).ping(TARGET, ["i-0123456789abcdef0"]) == {}
    assert server.requests == ["DescribeInstanceInformation"] * 2


def test_an_answer_that_nobody_can_read_is_named(server: Server) -> None:
    rows = {"Patches": [{"KBId": "bash.amd64", "Title": "bash.amd64:5", "State": "Enchanted", "InstalledTime": 0}]}
    server.behaviour = answer(200, rows)
    with pytest.raises(Doubt, match="Enchanted"):
        PatchManager(sessions_at(server.url)).rows(TARGET, "i-0123456789abcdef0")
