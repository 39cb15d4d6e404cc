"""Everything the bot asks of Patch Manager, in one object."""

from aws.commands import Commands
from aws.evidence import EvidenceReader
from aws.nodes import Nodes


class PatchManager(Nodes, Commands, EvidenceReader):
    """Stateless but for its sessions; every method takes the target first and raises AwsError."""
