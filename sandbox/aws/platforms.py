"""The operating systems of simulated nodes, as DescribeInstanceInformation and the baselines name them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Platform:
    """`product` is what a baseline's PRODUCT filter says, as in `RedhatEnterpriseLinux9.4` or `WindowsServer2022`.

    Patch Manager fails on an operating system that it does not support yet, however well its agent works
    (facts/patch-manager.md section 6).
    """

    type: Literal["Linux", "Windows"]
    name: str
    version: str
    operating_system: str  # the model's OperatingSystem enum
    manager: Literal["apt", "dnf", "windows"]
    native_arch: str
    product: str = ""
    supported: bool = True

    @property
    def has_approval_delay(self) -> bool:
        """Release dates aren't reliable on the Debian family, so a rule's delay means nothing there.

        facts/patch-manager.md section 3.
        """
        return self.manager != "apt"

    def kb_id(self, name: str, arch: str) -> str:
        """A row's KBId (facts/patch-manager.md section 2). apt reports architecture-independent packages
        under the node's own architecture, as `apport.amd64` in the real Ubuntu file shows."""
        if self.manager == "windows":
            return name
        return f"{name}.{self.native_arch if arch == 'all' else arch}"

    def title(self, name: str, arch: str, version: str) -> str:
        """A row's Title: `name.arch:version`, with the epoch always written by dnf and only above 0 by apt."""
        if self.manager == "windows":
            return version
        if self.manager == "dnf" and ":" not in version:
            version = f"0:{version}"
        return f"{self.kb_id(name, arch)}:{version}"


DEBIAN_12 = Platform("Linux", "Debian GNU/Linux", "12", "DEBIAN", "apt", "amd64", "Debian12")
# Newer than what Patch Manager knows: new releases lag (facts/patch-manager.md section 9, item 14).
DEBIAN_14 = Platform("Linux", "Debian GNU/Linux", "14", "DEBIAN", "apt", "amd64", "Debian14", supported=False)
_RHEL = ("Red Hat Enterprise Linux", "REDHAT_ENTERPRISE_LINUX")
RHEL_8 = Platform("Linux", _RHEL[0], "8.10", _RHEL[1], "dnf", "x86_64", "RedhatEnterpriseLinux8.10")
RHEL_9 = Platform("Linux", _RHEL[0], "9.4", _RHEL[1], "dnf", "x86_64", "RedhatEnterpriseLinux9.4")
# A node's releasever lock is not modelled: Patch Manager ignores it (facts/patch-manager.md section 9, item 3).
AMAZON_LINUX_2023 = Platform("Linux", "Amazon Linux", "2023", "AMAZON_LINUX_2023", "dnf", "x86_64", "AmazonLinux2023")


def _windows(year: int, version: str) -> Platform:
    name = f"Microsoft Windows Server {year} Datacenter"
    return Platform("Windows", name, version, "WINDOWS", "windows", "", f"WindowsServer{year}")


WINDOWS_2019 = _windows(2019, "10.0.17763")
WINDOWS_2022 = _windows(2022, "10.0.20348")
