"""Sweep `deliver`: outbox → Slack and mail. The only sender; a message is rendered from the store as it is now (I5)."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from sqlite_utils import Database

from aws.mail import Mailer, MailError
from bot.access import NobodyFound, SlackDirectory
from bot.followups import FollowUps
from bot.rendering import Rendering, render
from bot.views.tables import Attachment, Flavour
from commands.ports import Clock, DirectoryError
from patching.config import Configuration
from patching.states import NoticeState
from scheduler.pool import Pool
from storage import outbox
from storage.database import Store
from storage.outbox import Medium, Notice

log = logging.getLogger(__name__)

# Seconds of real time (facts/slack.md "Rate limits"): one message a second for a channel; of updates, and of direct
# messages that are opened, 50 a minute each.
PACE = 1.1
METHOD_PACE = 1.3
LONGEST_WAIT = timedelta(minutes=5)
MOST_TRIES = 15  # three quarters of an hour, for a message that can't be made or that Slack refuses for what it is
MISSING = frozenset({"message_not_found", "cant_update_message"})
# Trying again can't help: the place or the person is not there.
HOPELESS = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "user_not_found",
        "users_not_found",
        "user_not_in_channel",
        "cannot_dm_bot",
        "user_disabled",
        "missing_scope",
        "not_in_channel",
    }
)
LINKED = frozenset({"approval-asked", "approval-reminder", "paused-reminder"})
REFUSED_BLOCKS = frozenset({"invalid_blocks", "msg_blocks_too_long", "msg_too_long", "invalid_blocks_format"})
# About this very message, not about the place or the person, nor about Slack's or our own state.
REFUSED_MESSAGE = REFUSED_BLOCKS | {"no_text", "invalid_arguments", "cannot_reply_to_message", "thread_not_found"}

Outcome = Callable[[Database], object]
"""Writes what became of a notice that was being sent."""


class Delivery:
    def __init__(
        self,
        store: Store,
        config: Configuration,
        clock: Clock,
        client: WebClient,
        directory: SlackDirectory,
        mailer: Mailer | None,
        followups: FollowUps,
        pool: Pool,
        pace: float = PACE,
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._client = client
        self._directory = directory
        self._mailer = mailer
        self._followups = followups
        self._pool = pool
        self._pace = pace
        self._free_at: dict[str, float] = {}  # of the tick alone
        self._unwritten: dict[int, Outcome] = {}

    def tick(self, now: datetime) -> None:
        for notice in outbox.due(self._store.db, now):
            paces = self._paces(notice)
            moment = self._clock.monotonic()
            if any(self._free_at.get(name, moment) > moment for name in paces):
                continue
            # A mail server that hangs must not hold up Slack, nor Slack the mail.
            lane = "mail" if notice.medium is Medium.EMAIL else "slack"
            key = ("deliver", notice.medium, notice.recipient)
            if self._pool.submit(key, partial(self.deliver, notice), lane=lane):
                self._free_at |= {name: moment + pace for name, pace in paces.items()}
        self._write_again()

    def deliver(self, notice: Notice) -> None:
        card = outbox.card(self._store.db, notice.subject) if _leans_on_card(notice) else None
        if card and card.ts is None and card.state is not NoticeState.DEAD:
            return  # the card comes first
        with self._store.transaction() as tx:
            if not outbox.begin_sending(tx, notice):
                return
        outcome = self._attempt(notice)
        try:
            with self._store.transaction() as tx:
                outcome(tx)
        except Exception:
            # Left in `sending` it would hold up its recipient until the next start.
            self._unwritten[notice.id] = outcome
            raise

    def _write_again(self) -> None:
        """What became of notices that could not be written, as on a full disk. Raises while it still can't."""
        for notice_id, outcome in list(self._unwritten.items()):
            with self._store.transaction() as tx:
                outcome(tx)
            del self._unwritten[notice_id]

    def _attempt(self, notice: Notice) -> Outcome:
        try:
            if notice.medium is Medium.EMAIL:
                self._mail(notice)
                channel = ts = None
            else:
                channel, ts = self._post(notice)
        except SlackApiError as error:
            return self._slack_refused(notice, error)
        except MailError as error:
            return self._failed(notice, str(error), hopeless=error.permanent)
        except NobodyFound as error:
            return self._failed(notice, str(error), hopeless=True)
        except DirectoryError as error:
            return self._failed(notice, str(error))
        except (SlackClientError, OSError) as error:
            return self._failed(notice, f"{type(error).__name__} while sending")
        except Exception as error:
            log.exception("notice %s can't be rendered", notice.key)
            return self._failed(notice, f"{type(error).__name__} while rendering", hopeless=_tried_enough(notice))
        if notice.kind.endswith("-card") and channel and ts and notice.ts is None:
            self._pool.submit(("link", notice.id), partial(self._followups.link, notice.subject, channel, ts))
        return partial(outbox.sent, notice=notice, now=self._clock.now(), channel=channel, ts=ts)

    def _paces(self, notice: Notice) -> dict[str, float]:
        """{what Slack's limits are about: seconds until the next}."""
        paces = {notice.recipient: self._pace}
        if notice.ts:
            paces["updates"] = self._pace * METHOD_PACE / PACE
        elif notice.medium is Medium.USER:
            paces["opened"] = self._pace * METHOD_PACE / PACE
        return paces

    def _thread(self, notice: Notice) -> str | None:
        card = outbox.card(self._store.db, notice.subject)
        return card.ts if card else None

    def _post(self, notice: Notice) -> tuple[str, str | None]:
        """Post or update; (channel, ts). Slack refuses a table now and then: then the message goes as plain text."""
        for flavour in Flavour:
            rendering = render(self._store, self._config, notice, flavour, self._link(notice), self._clock.now())
            try:
                return self._call(notice, rendering)
            except SlackApiError as error:
                if error.response.get("error") not in REFUSED_BLOCKS:
                    raise
                log.warning("Slack refused the blocks of %s: %s", notice.key, error.response.get("errors"))
        return self._call(notice, Rendering(rendering.text, [], rendering.attachments))

    def _call(self, notice: Notice, rendering: Rendering) -> tuple[str, str | None]:
        blocks = rendering.blocks or None
        if notice.medium is Medium.EPHEMERAL:
            channel, _, user = notice.recipient.partition(" ")
            self._client.chat_postEphemeral(channel=channel, user=user, text=rendering.text, blocks=blocks)
            return channel, None
        if notice.ts and notice.channel:
            self._client.chat_update(channel=notice.channel, ts=notice.ts, text=rendering.text, blocks=blocks or [])
            return notice.channel, notice.ts
        channel = self._channel(notice)
        thread = self._thread(notice) if notice.medium is Medium.THREAD else None
        answer = self._client.chat_postMessage(
            channel=channel,
            text=rendering.text,
            blocks=blocks,
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
        )
        channel, ts = str(answer["channel"]), str(answer["ts"])
        for attachment in rendering.attachments:
            self._attach(notice, attachment, channel, thread or ts)
        return channel, ts

    def _attach(self, notice: Notice, attachment: Attachment, channel: str, thread: str) -> None:
        """The file is an extra: the message itself is out, so a refusal is told in the log, not by posting again."""
        try:
            self._client.files_upload_v2(
                channel=channel,
                thread_ts=thread,
                filename=attachment.filename,
                title=attachment.title,
                content=attachment.content,
            )
        except (SlackApiError, SlackClientError, OSError) as error:
            log.warning("the file of %s was not attached: %s", notice.key, error)

    def _link(self, notice: Notice) -> str | None:
        """To the card, for messages that send people there; None where it is gone from Slack."""
        card = outbox.card(self._store.db, notice.subject) if notice.kind in LINKED else None
        if card is None or card.channel is None or card.ts is None:
            return None
        try:
            return str(self._client.chat_getPermalink(channel=card.channel, message_ts=card.ts)["permalink"])
        except SlackApiError as error:
            if error.response.get("error") in MISSING | HOPELESS:
                return None
            raise

    def _channel(self, notice: Notice) -> str:
        if notice.medium is not Medium.USER:
            return notice.recipient
        user = notice.recipient
        if "@" in user:
            user = self._directory.user_id(user)
        return str(self._client.conversations_open(users=user)["channel"]["id"])

    def _mail(self, notice: Notice) -> None:
        if self._mailer is None or self._config.mail is None:
            raise MailError("Neither PATCHGATE_SMTP nor mail.ses is set, so no mail is sent.", permanent=True)
        rendering = render(self._store, self._config, notice, Flavour.TEXT, now=self._clock.now())
        sender = self._config.mail.sender
        self._mailer.send(
            sender,
            notice.recipient,
            rendering.subject,
            rendering.text,
            rendering.html,
            message_id=f"<notice-{notice.id}-{int(notice.created_at.timestamp())}@{sender.rpartition('@')[2]}>",
            date=self._clock.now(),
        )

    def _slack_refused(self, notice: Notice, error: SlackApiError) -> Outcome:
        code = str(error.response.get("error", "unknown_error"))
        if code == "ratelimited":
            wait = timedelta(seconds=int(error.response.headers.get("Retry-After", 30)))
            return self._failed(notice, code, wait=wait)
        if code in MISSING and notice.ts:
            return partial(_post_anew, notice=notice, outcome=self._failed(notice, code, wait=timedelta()))
        return self._failed(
            notice, code, hopeless=code in HOPELESS or (code in REFUSED_MESSAGE and _tried_enough(notice))
        )

    def _failed(self, notice: Notice, note: str, *, hopeless: bool = False, wait: timedelta | None = None) -> Outcome:
        log.warning("notice %s was not sent: %s", notice.key, note)
        if hopeless:
            return partial(outbox.bury, notice=notice, note=note)
        pause = min(timedelta(seconds=2 ** min(notice.attempts + 1, 9)), LONGEST_WAIT) if wait is None else wait
        return partial(outbox.postpone, notice=notice, not_before=self._clock.now() + pause, note=note)


def _leans_on_card(notice: Notice) -> bool:
    """Whether it makes sense only once the subject's card is posted."""
    return notice.medium is Medium.THREAD or notice.kind in LINKED


def _tried_enough(notice: Notice) -> bool:
    """A new message would hold up all that come after it for its recipient; one that is shown holds up nothing."""
    return notice.ts is None and notice.attempts + 1 >= MOST_TRIES


def _post_anew(tx: Database, notice: Notice, outcome: Outcome) -> None:
    outbox.repost(tx, notice)
    outcome(tx)
