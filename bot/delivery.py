"""Sweep `deliver`: outbox → Slack and mail. The only sender; a message is rendered from the store as it is now (I5)."""

import logging
import threading
from datetime import datetime, timedelta
from functools import partial

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from aws.mail import Mailer, MailError
from bot.access import SlackDirectory
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

# Seconds of real time (facts/slack.md "Rate limits"): one message a second for a channel, 50 updates a minute in all.
PACE = 1.1
UPDATE_PACE = 1.3
LONGEST_WAIT = timedelta(minutes=5)
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
        self._guard = threading.Lock()
        self._free_at: dict[str, float] = {}

    def tick(self, now: datetime) -> None:
        for notice in outbox.due(self._store.db, now):
            if self._is_free(notice):
                self._pool.submit(("deliver", notice.medium, notice.recipient), partial(self.deliver, notice))

    def deliver(self, notice: Notice) -> None:
        card = outbox.card(self._store.db, notice.subject) if _leans_on_card(notice) else None
        if card and card.ts is None and card.state is not NoticeState.DEAD:
            return  # the card comes first
        with self._store.transaction() as tx:
            if not outbox.begin_sending(tx, notice):
                return
        try:
            if notice.medium is Medium.EMAIL:
                self._mail(notice)
                channel = ts = None
            else:
                channel, ts = self._post(notice)
        except SlackApiError as error:
            self._slack_refused(notice, error)
        except MailError as error:
            self._failed(notice, str(error), hopeless=error.permanent)
        except DirectoryError as error:
            self._failed(notice, str(error))
        except (SlackClientError, OSError) as error:
            self._failed(notice, f"{type(error).__name__} while sending")
        except Exception as error:
            log.exception("notice %s can't be rendered", notice.key)
            self._failed(notice, f"{type(error).__name__} while rendering")
        else:
            with self._store.transaction() as tx:
                outbox.sent(tx, notice, self._clock.now(), channel, ts)
            if notice.kind.endswith("-card") and channel and ts and notice.ts is None:
                self._pool.submit(("link", notice.id), partial(self._followups.link, notice.subject, channel, ts))

    def _is_free(self, notice: Notice) -> bool:
        """Whether Slack's pace lets something go now; if so, it is taken."""
        paces = {notice.recipient: self._pace}
        if notice.ts:
            paces["updates"] = self._pace * UPDATE_PACE / PACE
        with self._guard:
            now = self._clock.monotonic()
            if any(self._free_at.get(name, now) > now for name in paces):
                return False
            self._free_at |= {name: now + pace for name, pace in paces.items()}
            return True

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
        """To the card, for messages that send people there."""
        card = outbox.card(self._store.db, notice.subject) if notice.kind in LINKED else None
        if card is None or card.channel is None or card.ts is None:
            return None
        return str(self._client.chat_getPermalink(channel=card.channel, message_ts=card.ts)["permalink"])

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

    def _slack_refused(self, notice: Notice, error: SlackApiError) -> None:
        code = str(error.response.get("error", "unknown_error"))
        if code == "ratelimited":
            self._failed(notice, code, wait=timedelta(seconds=int(error.response.headers.get("Retry-After", 30))))
        elif code in MISSING and notice.ts:
            with self._store.transaction() as tx:
                outbox.repost(tx, notice)
            self._failed(notice, code, wait=timedelta())
        else:
            self._failed(notice, code, hopeless=code in HOPELESS)

    def _failed(self, notice: Notice, note: str, *, hopeless: bool = False, wait: timedelta | None = None) -> None:
        log.warning("notice %s was not sent: %s", notice.key, note)
        with self._store.transaction() as tx:
            if hopeless:
                outbox.bury(tx, notice, note)
            else:
                pause = timedelta(seconds=2 ** min(notice.attempts + 1, 9)) if wait is None else wait
                outbox.postpone(tx, notice, self._clock.now() + min(pause, LONGEST_WAIT), note)


def _leans_on_card(notice: Notice) -> bool:
    """Whether it makes sense only once the subject's card is posted."""
    return notice.medium is Medium.THREAD or notice.kind in LINKED
