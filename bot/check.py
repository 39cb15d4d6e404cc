"""`patchgate check`: configuration, Slack tokens and scopes, AWS access; each line ok or why not."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from aws.artifacts import Artifacts
from aws.calendars import Calendars
from aws.check import DOCUMENT, Needed, probe
from aws.errors import AwsError
from aws.ses import Ses
from aws.sessions import Sessions
from aws.target import Target
from bot.access import SlackDirectory
from bot.app import web_client
from bot.mailing import mailer_of
from bot.manifest import SCOPES
from bot.settings import Settings, read_configuration
from commands.ports import Clock, DirectoryError, Role
from patching.config import Configuration, ConfigurationError
from patching.hooks import HOOKS, INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED
from patching.nodes import EnvironmentKey
from scheduler.calendars import calendars_of, target_for
from scheduler.parts import target_of


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    ok: bool
    detail: str = ""


def check_all(read: Callable[[], Settings], clock: Clock) -> list[Line]:
    """Every line that can be checked: what depends on something broken is left out."""
    try:
        settings = read()
    except ConfigurationError as error:
        return [Line("environment", False, problem) for problem in error.problems]
    try:
        config = read_configuration(settings.config_path)
    except ConfigurationError as error:
        lines = [Line("configuration", False, problem) for problem in error.problems]
        return [*lines, *_slack(settings)]
    applications, sessions = len(config.applications), Sessions()
    return [
        Line("configuration", True, f"{settings.config_path}, {applications} applications"),
        *_slack(settings),
        *_people(settings, config, clock),
        *_mail(settings, config, sessions),
        *_aws(config, sessions),
    ]


def _slack(settings: Settings) -> Iterator[Line]:
    client = web_client(settings)
    try:
        answer = client.auth_test()
    except (SlackApiError, SlackClientError, OSError) as error:
        yield Line("Slack bot token", False, _reason(error))
        return
    yield Line("Slack bot token", True, f"{answer.get('user')} in {answer.get('team')}")
    granted = {scope.strip() for scope in str(answer.headers.get("x-oauth-scopes", "")).split(",")}
    lacking = [scope for scope in SCOPES if scope not in granted]
    yield Line("Slack scopes", not lacking, f"missing: {', '.join(lacking)}" if lacking else f"all {len(SCOPES)}")
    if settings.app_token.get_secret_value():
        try:
            WebClient(base_url=settings.api_url, retry_handlers=[]).apps_connections_open(
                app_token=settings.app_token.get_secret_value()
            )
        except (SlackApiError, SlackClientError, OSError) as error:
            yield Line("Slack app token", False, _reason(error))
        else:
            yield Line("Slack app token", True, "Socket Mode")
    elif settings.signing_secret.get_secret_value():
        yield Line("Slack signing secret", True, "set, for --http")
    else:
        yield Line("Slack app token", False, "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set")


def _people(settings: Settings, config: Configuration, clock: Clock) -> Iterator[Line]:
    directory = SlackDirectory(web_client(settings), config.access, clock)
    for role in Role:
        try:
            holders = directory.holders(role)
        except DirectoryError as error:
            yield Line(f"role {role}", False, str(error))
        else:
            needed = role is not Role.ADMIN
            count = len(holders)
            yield Line(f"role {role}", bool(count) or not needed, f"{count} people" if count else "nobody holds it")


def _mail(settings: Settings, config: Configuration, sessions: Sessions) -> Iterator[Line]:
    try:
        mailer = mailer_of(settings, config, sessions)
    except ConfigurationError as error:
        yield from (Line("mail", False, problem) for problem in error.problems)
        return
    if mailer is None:
        yield Line("mail", True, "neither PATCHGATE_SMTP nor mail.ses is set, so no mail is sent")
    elif config.mail is None:
        yield Line("mail", False, "PATCHGATE_SMTP is set, but mail.from is not configured")
    else:
        yield Line("mail", True, f"{mailer}, from {config.mail.sender}")
        if isinstance(mailer, Ses):
            yield _ses(mailer, config.mail.sender)


def _ses(mailer: Ses, sender: str) -> Line:
    try:
        trouble = mailer.trouble(sender)
    except AwsError as error:
        trouble = str(error)
    return Line("SES sender and account", trouble is None, trouble or "")


def _aws(config: Configuration, sessions: Sessions) -> Iterator[Line]:
    needed: defaultdict[Target, set[Needed]] = defaultdict(set)
    for key, settings in config.environments().items():
        needed[target_of(settings)] |= _documents(config, key)
    for target in sorted(needed, key=str):
        for what, error in probe(sessions, target, sorted(needed[target])):
            yield Line(f"AWS {target}: {what}", error is None, error or "")
    yield from _calendars(config, sessions)
    if config.artifacts is None:
        yield Line("artifacts bucket", False, "none is configured, so production can't be installed")
        return
    bucket = config.artifacts
    try:
        Artifacts(sessions, bucket.bucket, bucket.prefix, bucket.region).probe()
    except AwsError as error:
        yield Line("artifacts bucket", False, str(error))
    else:
        yield Line("artifacts bucket", True, f"s3://{bucket.bucket}/{bucket.prefix}")


def _calendars(config: Configuration, sessions: Sessions) -> Iterator[Line]:
    """Each is read once, with the role that the sweep takes."""
    for freeze in calendars_of(config).values():
        what = f"calendar of the freeze {freeze.name}"
        try:
            answer = Calendars(sessions).state(target_for(config, freeze), freeze.calendar)
        except AwsError as error:
            yield Line(what, False, str(error))
        else:
            yield Line(what, True, f"{answer.state.lower()} now")


def _documents(config: Configuration, key: EnvironmentKey) -> set[Needed]:
    """The documents that the plans of an environment run."""
    application, production = config.applications[key.application], config.environments()[key].production
    pinned = production and config.policy_of(key.application).pin == "required"
    hooks, health, backup = application.hooks.named, application.health.document, application.backup.document
    found = {Needed(DOCUMENT), *(Needed(name, HOOKS[parameter]) for parameter, name in hooks.items())}
    if hooks:
        found.add(Needed(INSTALL_WITH_HOOKS if pinned else INSTALL_WITH_HOOKS_UNPINNED))
    if health:
        found.add(Needed(health, "health document"))
    if backup and production:
        found.add(Needed(backup, "backup document"))
    return found


def _reason(error: Exception) -> str:
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
