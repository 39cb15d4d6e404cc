"""When a document of an application's own, such as a database's dump, last succeeded on its nodes."""

from datetime import datetime

from sqlite_utils import Database

from patching.nodes import EnvironmentKey
from patching.outcomes import NodeOutcome
from storage.database import to_text, to_time


def ran_since(db: Database, key: EnvironmentKey, document: str, since: datetime) -> dict[str, datetime]:
    """{node id: when the newest command with the document was sent that succeeded there}, sent at `since` or later.

    Commands of ours alone; the moment of the send, since what was written later may not be in a dump.
    """
    rows = db.execute(
        """SELECT invocation.node_id, max(step.sent_at) AS at
           FROM step JOIN run ON run.id = step.run_id JOIN invocation ON invocation.step_id = step.id
           WHERE run.application = ? AND run.environment = ? AND step.document = ? AND step.sent_at >= ?
             AND invocation.outcome = ?
           GROUP BY invocation.node_id""",
        [key.application, key.environment, document, to_text(since), NodeOutcome.SUCCEEDED],
    )
    return {row["node_id"]: at for row in rows if (at := to_time(row["at"]))}
