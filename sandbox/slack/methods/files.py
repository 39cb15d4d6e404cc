"""files.*: an upload in three steps; the bytes themselves go to the URL that the first one gives."""

from sandbox.slack.limits import TIER_4
from sandbox.slack.methods.method import Args, Method, invalid_arguments
from sandbox.slack.model import BOT, Refused
from sandbox.slack.rules import Json
from sandbox.slack.shapes import file_json
from sandbox.slack.workspace import Workspace


def get_upload_url(workspace: Workspace, args: Args) -> Json:
    length = args.number("length", 0)
    if length < 1:
        raise invalid_arguments("must be more than 0 [json-pointer:/length]")
    ticket, id = workspace.uploads.announce(args.text("filename"), length)
    return {"upload_url": f"{workspace.url}/upload/{ticket}", "file_id": id}


def complete_upload(workspace: Workspace, args: Args) -> Json:
    """Without a channel the files stay private; with one they are posted there as one message."""
    listed = args.decoded("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise invalid_arguments("must provide at least one file [json-pointer:/files]")
    channel, thread = None, args.maybe("thread_ts")
    if args.maybe("channel_id"):
        channel = workspace.directory.channel(args.maybe("channel_id"))
        if BOT not in channel.members:
            raise Refused("not_in_channel")
        if channel.is_archived:
            raise Refused("is_archived")
        if thread:
            workspace.posts.get(channel.id, thread)
    files = tuple(workspace.uploads.finish(item.get("id"), item.get("title")) for item in listed)
    if channel:
        workspace.post(channel, BOT, args.maybe("initial_comment") or "", thread_ts=thread, files=files)
    return {"files": [file_json(file) for file in files]}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, TIER_4, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, TIER_4, ("files:write",)),
}
