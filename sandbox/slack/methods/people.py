"""auth.test, apps.connections.open, bots.*, team.*, users.*, usergroups.*: who the bot is, and who everybody is."""

from sandbox.slack.limits import SPECIAL, TIER_1, TIER_2, TIER_3, TIER_4
from sandbox.slack.methods.method import Args, Method, page
from sandbox.slack.model import BOT, Refused
from sandbox.slack.rules import Json
from sandbox.slack.shapes import group_json, user_json
from sandbox.slack.workspace import APP_ID, BOT_ID, Workspace


def auth_test(workspace: Workspace, args: Args) -> Json:
    return {
        "url": f"{workspace.url}/",
        "team": workspace.directory.team_name,
        "team_id": workspace.directory.team_id,
        "user": workspace.bot.name,
        "user_id": BOT,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(workspace: Workspace, args: Args) -> Json:
    base = workspace.url.replace("http", "ws", 1)
    return {"url": f"{base}/socket/{workspace.tickets.new_socket()}"}


def bot_info(workspace: Workspace, args: Args) -> Json:
    if args.maybe("bot") not in (None, BOT_ID):
        raise Refused("bot_not_found")
    return {"bot": {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT, "name": workspace.bot.name, "deleted": False}}


def team_info(workspace: Workspace, args: Args) -> Json:
    directory = workspace.directory
    return {"team": {"id": directory.team_id, "name": directory.team_name, "domain": directory.team_name.lower()}}


def user_info(workspace: Workspace, args: Args) -> Json:
    return {"user": user_json(workspace, workspace.directory.user(args.maybe("user")))}


def user_list(workspace: Workspace, args: Args) -> Json:
    shown, following = page(list(workspace.directory.users.values()), args)
    return {"members": [user_json(workspace, user) for user in shown], **following}


def user_by_email(workspace: Workspace, args: Args) -> Json:
    return {"user": user_json(workspace, workspace.directory.by_email(args.text("email", "users_not_found")))}


def group_list(workspace: Workspace, args: Args) -> Json:
    with_users = args.flag("include_users")
    return {"usergroups": [group_json(group, with_users) for group in workspace.directory.groups.values()]}


def group_users(workspace: Workspace, args: Args) -> Json:
    return {"users": list(workspace.directory.group(args.maybe("usergroup")).users)}


METHODS = {
    "auth.test": Method(auth_test, SPECIAL),
    "apps.connections.open": Method(connections_open, TIER_1, app_level=True),
    "bots.info": Method(bot_info, TIER_3, ("users:read",)),
    "team.info": Method(team_info, TIER_3, ("team:read",)),
    "users.info": Method(user_info, TIER_4, ("users:read",)),
    "users.list": Method(user_list, TIER_2, ("users:read",)),
    "users.lookupByEmail": Method(user_by_email, TIER_3, ("users:read.email",)),
    "usergroups.list": Method(group_list, TIER_2, ("usergroups:read",)),
    "usergroups.users.list": Method(group_users, TIER_2, ("usergroups:read",)),
}
