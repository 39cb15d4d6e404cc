"""The one door: every request for every service comes through here, and faults strike here."""

import json
import logging
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from flask import Flask
from moto.backends import SERVICE_NAMES
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from sandbox.aws import backups, iam, moto_backends, recovery_points, ssm
from sandbox.aws.faults import Fault
from sandbox.aws.model import SsmError
from sandbox.aws.world import World

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_SCOPE = re.compile(r"(?:Credential=)?([A-Za-z0-9]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_S3_OPERATIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_S3_BUCKET_OPERATIONS = {"GET": "ListObjectsV2", "PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}
_REFUSALS: dict[str, tuple[int, str, dict[str, str]]] = {
    "throttling": (
        400,
        "Rate exceeded",
        {"*": "ThrottlingException", "ec2": "RequestLimitExceeded", "s3": "SlowDown", "sts": "Throttling"},
    ),
    "server-error": (
        500,
        "An error occurred on the server side.",
        {"*": "InternalServerError", "ec2": "InternalError", "s3": "InternalError", "sts": "InternalFailure"},
    ),
    "access-denied": (
        403,
        "You are not authorized to perform this operation.",
        {"*": "AccessDenied", "ssm": "AccessDeniedException", "ec2": "UnauthorizedOperation"},
    ),
    "unknown-key": (
        403,
        "The security token included in the request is invalid.",
        {"*": "InvalidClientTokenId", "ssm": "UnrecognizedClientException", "ec2": "AuthFailure"}
        | {"s3": "InvalidAccessKeyId"},
    ),
}


@dataclass(frozen=True)
class Asked:
    """Who asks for what, as the signature and the request tell."""

    access_key: str
    region: str
    service: str
    operation: str
    xml: bool


class Front:
    """A WSGI application: Systems Manager from the world, the other services from moto.

    `base_keys` maps the access keys of the sandbox's own users to their accounts; a key from AssumeRole is moto's.
    """

    def __init__(self, world: World, base_keys: dict[str, str]) -> None:
        self._world = world
        self._base_keys = base_keys
        self._moto = DomainDispatcherApplication(_quiet_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        asked = _asked(request)
        with self._world.lock:
            fault = self._world.faults.for_call(asked.service, asked.operation)
        account = self._base_keys.get(asked.access_key) or moto_backends.account_of(asked.access_key)
        if account is None:
            return _error(asked, _refusal(asked.service, "unknown-key"))(environ, start_response)
        if asked.service == "ssm":
            response = self._ssm(request, asked, account, fault)
        elif fault is not None and fault.kind in _REFUSALS:
            response = _error(asked, _refusal(asked.service, fault.kind))
        else:
            response = self._from_moto(environ, asked, account)
        # Late and lost answers come after the work: whoever gave up waiting must not think that nothing happened.
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault is not None and fault.kind == "lost-reply":
            return _hang_up(environ, start_response)
        return response(environ, start_response)

    def _ssm(self, request: Request, asked: Asked, account: str, fault: Fault | None) -> Response:
        params: dict[str, Any] = {}
        outcome, command_id = "ok", None
        try:
            params = _json_body(request)
            if fault is not None and fault.kind in _REFUSALS:
                raise _refusal("ssm", fault.kind)
            answer = ssm.answer(self._world, account, asked.region, asked.operation, params)
            command_id = answer.get("Command", {}).get("CommandId")
            response = _json(answer)
        except SsmError as error:
            outcome, response = error.code, _error(asked, error)
        if fault is not None and fault.kind == "lost-reply":
            outcome = "lost-reply"
        with self._world.lock:
            now = self._world.clock.now()
            self._world.ssm_log.record(now, account, asked.region, asked.operation, params, outcome, command_id)
        return response

    def _from_moto(self, environ: dict[str, Any], asked: Asked, account: str) -> Response:
        """moto's answer; where moto has a gap it says 500 or 404 in HTML, which a client would take for an outage."""
        if (asked.service, asked.operation) == ("iam", "SimulatePrincipalPolicy"):
            return self._simulated_policy(environ, asked, account)
        if asked.service == "backup":
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            answer = recovery_points.answer(self._world.recovery_points, account, asked.region, method, path)
            if answer is not None:
                return Response(answer, content_type="application/json")
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        with self._backups_in_time(environ, asked, account) as refused:
            if refused:
                return _error(asked, refused)
            pieces, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        body = b"".join(pieces)
        if status.startswith(("500", "501")) or body[:15].lower() == b"<!doctype html>":
            message = f"The sandbox does not implement {asked.service}:{asked.operation}."
            return _error(asked, SsmError("UnknownOperationException", message))
        return Response([body], status=status, headers=headers)  # a HEAD answer keeps the length that moto tells

    @contextmanager
    def _backups_in_time(self, environ: dict[str, Any], asked: Asked, account: str) -> Iterator[SsmError | None]:
        """What EC2 refuses and moto does not is given."""
        if asked.service != "ec2" or asked.operation not in backups.OPERATIONS:
            yield None
            return
        with self._world.lock, backups.simulated(account, asked.region, self._world.clock.now()):
            form = environ["wsgi.input"].getvalue().decode()
            rebooted = backups.reboots(asked.operation, form)
            if rebooted:
                self._world.node(rebooted).booted()
            yield backups.refusal(account, asked.region, asked.operation, form)

    def _simulated_policy(self, environ: dict[str, Any], asked: Asked, account: str) -> Response:
        form = parse_qs(Request(environ).get_data().decode())
        try:
            return Response(iam.simulate_principal_policy(account, form), content_type="text/xml")
        except SsmError as refused:
            return _error(asked, refused)


def _quiet_backend_app(service: SERVICE_NAMES) -> Flask:
    """A crash inside moto is a gap: Flask answers it with 500 and logs where nobody is disturbed."""
    app: Flask = create_backend_app(service)
    app.debug = False
    app.logger.setLevel(logging.CRITICAL + 1)
    return app


def _asked(request: Request) -> Asked:
    signed = request.headers.get("Authorization", "") or request.args.get("X-Amz-Credential", "")
    found = _SCOPE.search(signed)
    key, region, service = found.groups() if found else ("", "", "")
    target = request.headers.get("X-Amz-Target", "")
    if target:
        return Asked(key, region, service, target.rpartition(".")[2], xml=False)
    if service == "s3":
        whole_bucket = request.path.strip("/").count("/") == 0
        known = _S3_BUCKET_OPERATIONS if whole_bucket else _S3_OPERATIONS
        return Asked(key, region, service, known.get(request.method, request.method), xml=True)
    if request.mimetype == "application/x-www-form-urlencoded":
        body = request.get_data()
        request.environ["wsgi.input"] = BytesIO(body)  # moto reads the stream itself
        action = parse_qs(body.decode()).get("Action", [""])[0]
        return Asked(key, region, service, action, xml=True)
    smithy = request.path.partition("/operation/")[2]  # CloudWatch's protocol names the operation in the path
    return Asked(key, region, service, smithy or f"{request.method} {request.path}", xml=False)


def _refusal(service: str, kind: str) -> SsmError:
    """The error under the name that the service gives it; ssm's AccessDeniedException comes with 400, not 403."""
    status, message, names = _REFUSALS[kind]
    code = names.get(service, names["*"])
    return SsmError(code, message, {"SlowDown": 503, "AccessDeniedException": 400}.get(code, status))


def _json_body(request: Request) -> dict[str, Any]:
    try:
        params = json.loads(request.get_data() or b"{}")
    except ValueError as broken:
        raise SsmError("SerializationException", "The request is not JSON.") from broken
    if not isinstance(params, dict):
        raise SsmError("SerializationException", "The request is not a JSON object.")
    return params


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    headers = {"x-amzn-RequestId": str(uuid4())}
    return Response(json.dumps(answer), status, headers, content_type="application/x-amz-json-1.1")


def _error(asked: Asked, error: SsmError) -> Response:
    """An error in the asked service's protocol: JSON, or one of AWS's XML forms."""
    if not asked.xml:
        body = {"__type": error.code, "message": error.message, "Message": error.message}
        response = _json({name: text for name, text in body.items() if text}, error.status)
        response.headers["x-amzn-ErrorType"] = error.code
        return response
    code, message, request_id = escape(error.code), escape(error.message), uuid4()
    if asked.service == "ec2":
        inner = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        text = f"<Response>{inner}<RequestID>{request_id}</RequestID></Response>"
    elif asked.service == "s3":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    else:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{inner}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(text, error.status, content_type="text/xml")


def _hang_up(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Close the connection without a byte: the work is done, and nobody is told."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    start_response("200 OK", [])
    return []
