"""Who and what there is in the workspace: users, channels, groups. Its caller holds the workspace's lock."""

from dataclasses import replace

from sandbox.slack.model import BOT, Channel, Group, Refused, Seed, User


class Directory:
    def __init__(self, seed: Seed) -> None:
        self.team_id = seed.team_id
        self.team_name = seed.team_name
        self.users: dict[str, User] = {user.id: user for user in seed.users}
        self.channels: dict[str, Channel] = {
            channel.id: replace(channel, members=set(channel.members)) for channel in seed.channels
        }
        self.groups: dict[str, Group] = {group.id: group for group in seed.groups}

    def user(self, id: object, error: str = "user_not_found") -> User:
        if not isinstance(id, str) or id not in self.users:
            raise Refused(error)
        return self.users[id]

    def channel(self, id: object) -> Channel:
        if isinstance(id, str) and id in self.channels:
            return self.channels[id]
        raise Refused("channel_not_found")

    def group(self, id: object) -> Group:
        if not isinstance(id, str) or id not in self.groups:
            raise Refused("no_such_subteam")
        return self.groups[id]

    def by_email(self, email: object) -> User:
        found = [user for user in self.users.values() if user.email and user.email == str(email).lower()]
        if not found:
            raise Refused("users_not_found")
        return found[0]

    def direct(self, user: str) -> Channel:
        """The direct messages of a person with the bot, opened when they are not yet."""
        person = self.user(user)
        if person.is_bot:
            raise Refused("cannot_dm_bot")
        id = f"D{person.id[1:]}"
        if id not in self.channels:
            self.channels[id] = Channel(id, person.name, "dm", {person.id, BOT}, person.id)
        return self.channels[id]

    def seen_by(self, user: str) -> list[Channel]:
        return [channel for channel in self.channels.values() if user in channel.members]
