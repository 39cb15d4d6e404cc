"""How the sandbox's fleets lay out an application: its two environments, their tags, windows and accounts."""

from collections.abc import Mapping

from sandbox.aws.fleet import DEBIAN_12, Environment, Node, Package, Platform, Window

NONPRODUCTION, PRODUCTION, REGION = "111111111111", "222222222222", "eu-west-1"


def environment(
    application: str,
    name: str,
    count: int,
    packages: tuple[Package, ...],
    *,
    baseline: str,
    platform: Platform = DEBIAN_12,
    failing: Mapping[str, frozenset[str]] | None = None,
) -> Environment:
    """`nonprod` or `prod`, with nodes called `app-nonprod-1`, …, all on the repository of the application's name."""
    production = name == "prod"
    patch_group = f"{application}-{name}"
    nodes = tuple(
        Node(
            name=f"{patch_group}-{number}",
            packages=packages,
            repository=application,
            platform=platform,
            tags={
                "Name": f"{patch_group}-{number}",
                "PatchGroup": patch_group,
                "Application": application,
                "Environment": "production" if production else "nonproduction",
                "Owner": f"{application}-team@example.com",
            },
            failing=(failing or {}).get(f"{patch_group}-{number}", frozenset()),
        )
        for number in range(1, count + 1)
    )
    # Non-production on Tuesdays, production on Saturdays.
    schedule = "cron(0 2 ? * SAT *)" if production else "cron(0 22 ? * TUE *)"
    return Environment(
        name=name,
        account=PRODUCTION if production else NONPRODUCTION,
        region=REGION,
        nodes=nodes,
        patch_group=patch_group,
        production=production,
        baseline=baseline,
        window=Window(schedule, "Europe/Dublin"),
    )
