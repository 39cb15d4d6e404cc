"""Everything the bot asks of Patch Manager, in one object."""

from aws.commands import Commands
from aws.documents import Documents
from aws.evidence import EvidenceReader
from aws.nodes import Nodes
from aws.plugins import Plugins


class PatchManager(Nodes, Commands, Documents, Plugins, EvidenceReader):
    """Stateless but for its sessions; every method takes the target first and raises AwsError."""
