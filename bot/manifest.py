"""The Slack app manifest, generated from the command registry: `python -m bot.manifest` (facts/slack.md "Methods")."""

import json
from typing import Any

from commands.registry import usage_hint

SCOPES = (
    "chat:write",
    "chat:write.public",
    "commands",
    "files:write",
    "im:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)


def manifest() -> dict[str, Any]:
    """Manifest v2 for Socket Mode; for HTTP an operator sets the request URLs to https://HOST/slack/events."""
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Patchgate",
            "description": "Patches EC2 fleets: what non-production has proven, approved by people, sent once.",
            "background_color": "#1f3a4d",
        },
        "features": {
            "bot_user": {"display_name": "patchgate", "always_online": True},
            "slash_commands": [
                {
                    "command": "/patch",
                    "description": "Scan, install, compare and approve patches.",
                    "usage_hint": usage_hint(),
                    "should_escape": False,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


if __name__ == "__main__":
    print(json.dumps(manifest(), indent=2))
