"""The application that lives on a node, as far as hooks touch it."""

from dataclasses import dataclass, field


@dataclass
class NodeApplication:
    """`services` are systemd's or Windows', which come back by themselves after a boot; `processes` are pm2's, of which
    a boot starts those that `pm2 save` kept. Names that nobody has stopped are running.

    `drained` are the ports that iptables keeps others away from; such rules are lost with a boot. `updates` counts how
    often the dependencies were replaced, `dumps` how often its databases were dumped. A `broken` application starts and
    never gets healthy.
    """

    services: dict[str, bool] = field(default_factory=dict)
    processes: dict[str, bool] = field(default_factory=dict)
    kept: dict[str, bool] | None = None  # None: nobody saved, and all that ran comes back
    drained: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    updates: int = 0
    dumps: int = 0
    broken: bool = False

    @property
    def running(self) -> bool:
        return all(self.services.values()) and all(self.processes.values())

    @property
    def healthy(self) -> bool:
        return self.running and not self.broken

    def booted(self) -> None:
        self.drained = set()
        self.services = dict.fromkeys(self.services, True)
        if self.kept is not None:
            self.processes = {name: self.kept.get(name, False) for name in self.processes}
        else:
            self.processes = dict.fromkeys(self.processes, True)
