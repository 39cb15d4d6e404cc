"""What an error means, for each kind that botocore raises. The wire's own failures are in tests/integration."""

import ssl

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from aws.errors import AccessRefused, AwsError, DefiniteRefusal, Doubt, Throttled, Unreached, classify
from aws.target import Target

TARGET = Target("111111111111", "eu-west-1", "arn:aws:iam::111111111111:role/patchgate")
BASE = Target("111111111111", "eu-west-1")


def answered(code: str, status: int, message: str = "Said\nby AWS.") -> ClientError:
    metadata = {"HTTPStatusCode": status, "RequestId": "req-1"}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "SendCommand")  # type: ignore[typeddict-item]


ANSWERS = [
    ("InvalidInstanceId", 400, DefiniteRefusal),
    ("ValidationException", 400, DefiniteRefusal),
    ("MaxDocumentSizeExceeded", 400, DefiniteRefusal),
    ("AccessDeniedException", 400, AccessRefused),
    ("ExpiredTokenException", 400, AccessRefused),
    ("UnrecognizedClientException", 403, AccessRefused),
    ("ThrottlingException", 400, Throttled),
    ("TooManyRequestsException", 429, Throttled),
    # A send is in doubt after any 5xx, whatever it is called, and after a 4xx that no AWS service has named.
    ("ThrottlingException", 503, Doubt),
    ("InternalServerError", 500, Doubt),
    ("InternalServerError", 400, Doubt),
    ("ServiceUnavailable", 503, Doubt),
    ("RequestTimeout", 400, Doubt),
    ("SomethingNew", 500, Doubt),
    ("403", 403, Doubt),
    ("", 400, Doubt),
    ("InvalidInstanceId", 408, Doubt),
    ("InvalidInstanceId", 302, Doubt),
    ("InvalidInstanceId", 0, Doubt),
]


@pytest.mark.parametrize(("code", "status", "meaning"), ANSWERS)
def test_i2_only_a_named_4xx_is_a_refusal(code: str, status: int, meaning: type[AwsError]) -> None:
    error = classify(answered(code, status), "SendCommand", TARGET)
    assert type(error) is meaning
    assert error.operation == "SendCommand"
    assert error.request_id == "req-1"


def test_a_read_that_was_throttled_with_a_5xx_is_throttled() -> None:
    assert type(classify(answered("RequestLimitExceeded", 503), "DescribeInstances", TARGET)) is Throttled


CERTIFICATE = ssl.SSLCertVerificationError("certificate verify failed")
ENDPOINT = "https://ssm.example"
FAILURES = [
    (boto.EndpointConnectionError(endpoint_url=ENDPOINT), Unreached),
    (boto.ConnectTimeoutError(endpoint_url=ENDPOINT), Unreached),
    (boto.ProxyConnectionError(proxy_url="http://proxy.example"), Unreached),
    (boto.SSLError(endpoint_url=ENDPOINT, error=CERTIFICATE), Doubt),
    (boto.NoCredentialsError(), DefiniteRefusal),
    (boto.CredentialRetrievalError(provider="sso", error_msg="expired"), DefiniteRefusal),
    (boto.ParamValidationError(report="Comment is too long"), DefiniteRefusal),
    (boto.ReadTimeoutError(endpoint_url=ENDPOINT), Doubt),
    (boto.ConnectionClosedError(endpoint_url=ENDPOINT), Doubt),
    (boto.HTTPClientError(error="unknown"), Doubt),
    (KeyError("CommandId"), Doubt),
]


@pytest.mark.parametrize(("failure", "meaning"), FAILURES, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_i2_only_what_fails_before_a_byte_is_written_is_a_refusal(failure: Exception, meaning: type[AwsError]) -> None:
    found = classify(failure, "SendCommand", TARGET)
    assert type(found) is meaning
    assert isinstance(found, DefiniteRefusal) != (meaning is Doubt)


def test_i2_a_certificate_that_is_refused_is_a_refusal() -> None:
    failure = boto.SSLError(endpoint_url=ENDPOINT, error=CERTIFICATE)
    failure.__context__ = CERTIFICATE
    assert type(classify(failure, "SendCommand", TARGET)) is DefiniteRefusal


@pytest.mark.parametrize("operation", ["AssumeRole", "GetCallerIdentity"])
def test_i2_a_doubt_about_credentials_is_no_doubt_about_the_send(operation: str) -> None:
    failure = boto.ReadTimeoutError(endpoint_url=ENDPOINT)
    assert type(classify(failure, operation, TARGET)) is DefiniteRefusal


SENTENCES = [
    (
        answered("ThrottlingException", 400),
        "AWS throttled SendCommand (account 111111111111, eu-west-1), so nothing was done; try again in a minute.",
    ),
    (
        answered("AccessDeniedException", 400),
        "AWS refused SendCommand (account 111111111111, eu-west-1) with the base credentials: AccessDeniedException: "
        "Said by AWS; nothing was done, allow ssm:SendCommand there (deploy/iam says how).",
    ),
    (
        answered("InvalidInstanceId", 400, ""),
        "AWS refused SendCommand (account 111111111111, eu-west-1): InvalidInstanceId; nothing was done, "
        "correct what it names and ask again.",
    ),
    (
        answered("InternalServerError", 500, ""),
        "AWS gave no clear answer to SendCommand (account 111111111111, eu-west-1) (HTTP 500, InternalServerError): "
        "it may have happened; look before it is done again.",
    ),
    (
        boto.EndpointConnectionError(endpoint_url=ENDPOINT),
        "SendCommand (account 111111111111, eu-west-1) could not be sent to AWS: "
        'Could not connect to the endpoint URL: "https://ssm.example"; '
        "nothing was done, check the network, the Region and the endpoint.",
    ),
]


@pytest.mark.parametrize(("failure", "sentence"), SENTENCES)
def test_a_message_says_what_was_refused_what_was_not_done_and_what_to_do(failure: Exception, sentence: str) -> None:
    assert str(classify(failure, "SendCommand", BASE)) == sentence


def test_a_long_answer_is_cut_to_one_short_line() -> None:
    message = str(classify(answered("InvalidInstanceId", 400, "i-0\n" * 5000), "SendCommand", BASE))
    assert "\n" not in message
    assert len(message) < 600
