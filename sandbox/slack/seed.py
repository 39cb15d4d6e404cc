"""The people, channels and groups of the sandbox's workspace. Their time zones differ, so that dates show theirs."""

from sandbox.slack.model import BOT, SLACKBOT, Channel, Command, Group, Seed, User

COMMANDS = (
    Command(
        "/patch",
        # In the order in which somebody new needs them.
        "scan APP ENV | install APP ENV [window] | compare APP [FROM TO] | plan APP ENV | status [ID] | approvals | "
        "cancel RUN | pause RUN | continue RUN | backups APP ENV [PAGE] | preflight APP ENV | windows [APP] | "
        "subscribe APP | unsubscribe APP | "
        "freeze ACTION [NAME REASON] | "
        "emergency APP ENV REASON | waive CHANGE CHECK REASON | window ACTION APP ENV [WINDOW] | jobs | help [COMMAND]",
    ),
)

_PEOPLE = (
    User("U0ANN", "ann", "Ann Lindqvist", "Engineer · operator", "ann@example.com", "Europe/Stockholm"),
    User("U0BEN", "ben", "Ben Okafor", "Engineer · platform team", "ben@example.com", "Europe/London"),
    User("U0OLA", "ola", "Ola Nowak", "On-call · approver", "ola@example.com", "Europe/Warsaw"),
    User("U0KIM", "kim", "Kim Tanaka", "On-call · approver", "kim@example.com", "Asia/Tokyo"),
    User("U0EVE", "eve", "Eve Moreau", "Application owner", "eve@example.com", "America/New_York"),
    User("U0ADA", "ada", "Ada Silva", "Admin", "ada@example.com", "America/Sao_Paulo"),
)
_BOTS = (
    User(BOT, "patchgate", "Patchgate", "App", "", "UTC", is_bot=True),
    User(SLACKBOT, "slackbot", "Slackbot", "", "", "UTC", is_bot=True),
)
_CHANNELS = {
    "C0PATCHING": "patching",
    "C0ORDERS": "orders",
    "C0ORDERSHA": "orders-ha",
    "C0BILLING": "billing",
    "C0SEARCH": "search",
    "C0REPORTS": "reports",
    "C0LEDGER": "ledger",
    "C0CACHE": "cache",
    "C0CRM": "crm",
}


def default_seed() -> Seed:
    members = {user.id for user in _PEOPLE} | {BOT}
    return Seed(
        team_id="T0SANDBOX",
        team_name="Sandbox",
        users=_PEOPLE + _BOTS,
        channels=tuple(Channel(id, name, members=set(members)) for id, name in _CHANNELS.items()),
        groups=(
            Group("S0PLATFORM", "platform", "Platform team", ("U0BEN",)),
            Group("S0ONCALL", "oncall", "On-call", ("U0OLA", "U0KIM")),
        ),
    )
