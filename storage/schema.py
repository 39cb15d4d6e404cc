"""The schema as migrations, each a small function that is never edited once released."""

from sqlite_utils import Database, Migrations

migrations = Migrations("patchgate")


@migrations()
def m001_runs(db: Database) -> None:
    """Runs and their steps; at most one open run per environment."""
    db.execute("""
        CREATE TABLE run (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            operation TEXT NOT NULL CHECK (operation IN ('Scan', 'Install')),
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            production INTEGER NOT NULL,
            purpose TEXT NOT NULL CHECK (purpose IN ('request', 'prepare', 'send', 'change')),
            change_id INTEGER REFERENCES change(id),
            state TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            requested_at TEXT NOT NULL,
            started_at TEXT,
            ended_at TEXT,
            nodes TEXT NOT NULL DEFAULT '[]',
            pins TEXT,
            pins_url TEXT,
            changed_rows INTEGER,
            resumed INTEGER NOT NULL DEFAULT 0,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute("""
        CREATE UNIQUE INDEX one_open_run ON run (application, environment)
        WHERE state IN ('requested', 'running', 'paused', 'needs_human')""")
    db.execute("CREATE INDEX run_change ON run (change_id)")
    db.execute("CREATE INDEX run_state ON run (state)")
    db.execute("""
        CREATE TABLE step (
            id TEXT PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES run(id),
            position INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('scan', 'install', 'verify')),
            operation TEXT NOT NULL CHECK (operation IN ('Scan', 'Install')),
            document TEXT NOT NULL,
            document_version TEXT NOT NULL,
            document_hash TEXT NOT NULL,
            parameters TEXT NOT NULL,
            node_ids TEXT NOT NULL,
            max_concurrency TEXT NOT NULL,
            max_errors TEXT NOT NULL,
            delivery_timeout INTEGER NOT NULL,
            state TEXT NOT NULL,
            command_id TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before TEXT,
            sending_at TEXT,
            sent_at TEXT,
            cancelled_at TEXT,
            ended_at TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute("CREATE INDEX step_run ON step (run_id, position)")
    db.execute("CREATE INDEX step_state ON step (state)")
    db.execute("""
        CREATE TABLE invocation (
            step_id TEXT NOT NULL REFERENCES step(id),
            node_id TEXT NOT NULL,
            status TEXT NOT NULL,
            details TEXT NOT NULL,
            outcome TEXT,
            note TEXT NOT NULL DEFAULT '',
            updated_at TEXT NOT NULL,
            PRIMARY KEY (step_id, node_id)
        ) STRICT""")


@migrations()
def m002_evidence(db: Database) -> None:
    """What nodes reported after runs of ours, and what somebody else's operations left behind (I8)."""
    db.execute("""
        CREATE TABLE evidence (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run_id INTEGER NOT NULL REFERENCES run(id),
            step_id TEXT NOT NULL REFERENCES step(id),
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            node_id TEXT NOT NULL,
            node_name TEXT NOT NULL,
            os TEXT NOT NULL,
            major TEXT NOT NULL,
            arch TEXT NOT NULL,
            operation TEXT NOT NULL,
            snapshot_id TEXT NOT NULL,
            operation_end TEXT NOT NULL,
            baseline_id TEXT NOT NULL,
            baseline_content TEXT NOT NULL,
            counts TEXT NOT NULL,
            read_at TEXT NOT NULL,
            UNIQUE (step_id, node_id)
        ) STRICT""")
    db.execute("CREATE INDEX evidence_newest ON evidence (application, environment, node_id, id)")
    db.execute("""
        CREATE TABLE evidence_row (
            evidence_id INTEGER NOT NULL REFERENCES evidence(id),
            kb_id TEXT NOT NULL,
            title TEXT NOT NULL,
            state TEXT NOT NULL,
            classification TEXT NOT NULL,
            severity TEXT NOT NULL,
            cve_ids TEXT NOT NULL,
            installed_time TEXT
        ) STRICT""")
    db.execute("CREATE INDEX evidence_rows ON evidence_row (evidence_id, kb_id)")
    db.execute("""
        CREATE TABLE baseline (
            content_hash TEXT PRIMARY KEY,
            content TEXT NOT NULL
        ) STRICT""")
    db.execute("""
        CREATE TABLE foreign_operation (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            node_id TEXT NOT NULL,
            snapshot_id TEXT NOT NULL,
            operation TEXT NOT NULL,
            operation_end TEXT NOT NULL,
            seen_at TEXT NOT NULL,
            PRIMARY KEY (node_id, snapshot_id, operation_end)
        ) STRICT""")


@migrations()
def m003_changes(db: Database) -> None:
    """Requests for production with every evaluation and decision; at most one open change per environment."""
    db.execute("""
        CREATE TABLE change (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            source TEXT NOT NULL,
            state TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            requested_at TEXT NOT NULL,
            requesters TEXT NOT NULL,
            supersedes INTEGER REFERENCES change(id),
            configuration TEXT NOT NULL,
            digest TEXT,
            parts TEXT,
            checks TEXT,
            pins TEXT,
            facts TEXT,
            evaluated_at TEXT,
            approved_at TEXT,
            ended_at TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute("""
        CREATE UNIQUE INDEX one_open_change ON change (application, environment)
        WHERE state IN ('preparing', 'pending', 'approved', 'waiting', 'held', 'used')""")
    db.execute("""
        CREATE TABLE evaluation (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            change_id INTEGER NOT NULL REFERENCES change(id),
            moment TEXT NOT NULL CHECK (moment IN ('prepare', 'send')),
            at TEXT NOT NULL,
            passed INTEGER NOT NULL,
            digest TEXT NOT NULL,
            parts TEXT NOT NULL,
            checks TEXT NOT NULL
        ) STRICT""")
    db.execute("""
        CREATE TABLE decision (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            change_id INTEGER NOT NULL REFERENCES change(id),
            user_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('approve', 'reject')),
            digest TEXT NOT NULL,
            reason TEXT NOT NULL,
            channel TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('checking', 'accepted', 'refused')),
            at TEXT NOT NULL,
            judged_at TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute("CREATE INDEX decision_change ON decision (change_id)")
    db.execute("""
        CREATE TABLE problem (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            application TEXT NOT NULL,
            run_id INTEGER NOT NULL REFERENCES run(id),
            reported_by TEXT NOT NULL,
            reported_at TEXT NOT NULL,
            reason TEXT NOT NULL,
            cleared_by TEXT,
            cleared_at TEXT,
            clear_reason TEXT
        ) STRICT""")
    db.execute("CREATE UNIQUE INDEX one_open_problem ON problem (application) WHERE cleared_at IS NULL")


@migrations()
def m004_outbox(db: Database) -> None:
    """Messages owed to somebody. The unique key forbids owing one twice (I7)."""
    db.execute("""
        CREATE TABLE notice (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            medium TEXT NOT NULL CHECK (medium IN ('channel', 'thread', 'user', 'ephemeral', 'email')),
            recipient TEXT NOT NULL,
            subject TEXT NOT NULL,
            payload TEXT NOT NULL,
            state TEXT NOT NULL,
            revision INTEGER NOT NULL DEFAULT 1,
            shown_revision INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before TEXT,
            created_at TEXT NOT NULL,
            sent_at TEXT,
            channel TEXT,
            ts TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute("CREATE INDEX notice_state ON notice (state)")
    db.execute("CREATE INDEX notice_subject ON notice (subject)")


@migrations()
def m005_audit(db: Database) -> None:
    """Append-only, chained by hash (I6): the database itself refuses to change or delete a row."""
    db.execute("""
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            actor TEXT NOT NULL,
            subject TEXT NOT NULL,
            action TEXT NOT NULL,
            detail TEXT NOT NULL,
            previous TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE
        ) STRICT""")
    db.execute("CREATE INDEX audit_subject ON audit (subject)")
    for verb in ("UPDATE", "DELETE"):
        db.execute(f"""
            CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit
            BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END""")


@migrations()
def m006_soak(db: Database) -> None:
    """The soak's clocks: since when a node has had a patch that one of our Installs brought it."""
    db.execute("""
        CREATE TABLE soak_clock (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            node_id TEXT NOT NULL,
            os TEXT NOT NULL,
            major TEXT NOT NULL,
            arch TEXT NOT NULL,
            kb_id TEXT NOT NULL,
            version TEXT NOT NULL,
            started_at TEXT NOT NULL,
            PRIMARY KEY (application, environment, node_id, kb_id, version)
        ) STRICT""")


@migrations()
def m007_approvals(db: Database) -> None:
    """What a change asks for beyond "all of it, by one approver", and what an approver said."""
    db.execute("ALTER TABLE change ADD COLUMN part INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE change ADD COLUMN emergency TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE change ADD COLUMN waivers TEXT NOT NULL DEFAULT '{}'")
    db.execute("ALTER TABLE change ADD COLUMN eligible TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE change ADD COLUMN required INTEGER NOT NULL DEFAULT 1")
    db.execute("ALTER TABLE decision ADD COLUMN backup TEXT NOT NULL DEFAULT ''")


@migrations()
def m008_inquiries(db: Database) -> None:
    """Questions that only AWS can answer, asked by somebody and answered to them alone."""
    db.execute("""
        CREATE TABLE inquiry (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            user_id TEXT NOT NULL,
            channel TEXT NOT NULL,
            asked_at TEXT NOT NULL,
            answered_at TEXT
        ) STRICT""")


@migrations()
def m009_audit_head(db: Database) -> None:
    """Where the audit chain ends, kept apart from it: a chain whose tail was cut no longer ends there."""
    db.execute("""
        CREATE TABLE audit_head (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            id INTEGER NOT NULL,
            hash TEXT NOT NULL
        ) STRICT""")
    db.execute("INSERT INTO audit_head SELECT 1, id, hash FROM audit ORDER BY id DESC LIMIT 1")


@migrations()
def m010_alarms(db: Database) -> None:
    """Since when, and until when, a CloudWatch alarm held an application's soak."""
    db.execute("""
        CREATE TABLE alarm_hold (
            application TEXT NOT NULL,
            alarm TEXT NOT NULL,
            began_at TEXT NOT NULL,
            ended_at TEXT
        ) STRICT""")
    db.execute("CREATE UNIQUE INDEX one_open_hold ON alarm_hold (application, alarm) WHERE ended_at IS NULL")


@migrations()
def m011_rechecks(db: Database) -> None:
    """Where AWS is asked once in each life of the bot whether it knows of later commands than the database."""
    db.execute("""
        CREATE TABLE recheck (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            since TEXT NOT NULL,
            PRIMARY KEY (application, environment)
        ) STRICT""")


@migrations()
def m012_inquiry_pages(db: Database) -> None:
    """An answer that is longer than a message is asked for page by page."""
    db.execute("ALTER TABLE inquiry ADD COLUMN page INTEGER NOT NULL DEFAULT 0")


@migrations()
def m013_plans(db: Database) -> None:
    """A step has a wave and settings, and may be a backup, a gate or a look at health; not every step is a command."""
    db.execute("""
        CREATE TABLE step_new (
            id TEXT PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES run(id),
            position INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('backup', 'gate', 'scan', 'install', 'health', 'verify')),
            operation TEXT CHECK (operation IN ('Scan', 'Install')),
            document TEXT NOT NULL,
            document_version TEXT NOT NULL,
            document_hash TEXT NOT NULL,
            parameters TEXT NOT NULL,
            node_ids TEXT NOT NULL,
            max_concurrency TEXT NOT NULL,
            max_errors TEXT NOT NULL,
            delivery_timeout INTEGER NOT NULL,
            wave INTEGER NOT NULL DEFAULT 1,
            settings TEXT NOT NULL DEFAULT '{}',
            state TEXT NOT NULL,
            command_id TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before TEXT,
            sending_at TEXT,
            sent_at TEXT,
            cancelled_at TEXT,
            ended_at TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    kept = (
        "id, run_id, position, kind, operation, document, document_version, document_hash, parameters, node_ids, "
        "max_concurrency, max_errors, delivery_timeout, state, command_id, attempts, not_before, sending_at, sent_at, "
        "cancelled_at, ended_at, note"
    )
    db.execute(f"INSERT INTO step_new ({kept}) SELECT {kept} FROM step")
    db.execute("DROP TABLE step")
    db.execute("ALTER TABLE step_new RENAME TO step")
    db.execute("CREATE INDEX step_run ON step (run_id, position)")
    db.execute("CREATE INDEX step_state ON step (state)")


@migrations()
def m014_cancelled_runs(db: Database) -> None:
    """A run of which nothing more is to be sent goes on until what was sent has ended."""
    db.execute("ALTER TABLE run ADD COLUMN cancelled_by TEXT")
    db.execute("ALTER TABLE run ADD COLUMN cancelled_at TEXT")


@migrations()
def m015_backups(db: Database) -> None:
    """What a step took of each of its nodes before anything was installed; the request is a row before it goes out."""
    db.execute("""
        CREATE TABLE backup (
            step_id TEXT NOT NULL REFERENCES step(id),
            node_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('snapshots', 'image')),
            asked INTEGER NOT NULL DEFAULT 0,
            asked_at TEXT,
            ids TEXT NOT NULL DEFAULT '[]',
            devices TEXT NOT NULL DEFAULT '[]',
            zone TEXT NOT NULL DEFAULT '',
            started_at TEXT,
            complete INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (step_id, node_id)
        ) STRICT""")


@migrations()
def m016_absences(db: Database) -> None:
    """Nodes that were away in the middle of an Install, or of which nobody knows what it did there."""
    db.execute("""
        CREATE TABLE absence (
            run_id INTEGER NOT NULL REFERENCES run(id),
            node_id TEXT NOT NULL,
            power TEXT NOT NULL DEFAULT '',
            since TEXT,
            told_at TEXT,
            back_at TEXT,
            back_told_at TEXT,
            reported_at TEXT,
            status TEXT NOT NULL DEFAULT '',
            late_at TEXT,
            closed_at TEXT,
            PRIMARY KEY (run_id, node_id)
        ) STRICT""")


@migrations()
def m017_waiting_changes(db: Database) -> None:
    """When a change is sent: now or at a window. What it waits for, since when it may be carried out, and which window
    somebody postponed it from."""
    db.execute("ALTER TABLE change ADD COLUMN timing TEXT NOT NULL DEFAULT 'now' CHECK (timing IN ('now', 'window'))")
    for column in ("starts_at", "window", "released_at", "postponed_from"):
        db.execute(f"ALTER TABLE change ADD COLUMN {column} TEXT")


@migrations()
def m018_objections(db: Database) -> None:
    """Who objects to a change, and who has seen that a window or a change comes."""
    db.execute("""
        CREATE TABLE objection (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            change_id INTEGER NOT NULL REFERENCES change(id),
            user_id TEXT NOT NULL,
            reason TEXT NOT NULL,
            at TEXT NOT NULL,
            ended_by TEXT,
            ended_at TEXT,
            end_reason TEXT
        ) STRICT""")
    db.execute("CREATE INDEX objection_change ON objection (change_id)")
    db.execute("""
        CREATE TABLE acknowledgement (
            subject TEXT NOT NULL,
            user_id TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (subject, user_id)
        ) STRICT""")


@migrations()
def m019_subscriptions(db: Database) -> None:
    """Who asked to be told of an application's windows and installs."""
    db.execute("""
        CREATE TABLE subscription (
            application TEXT NOT NULL,
            user_id TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (application, user_id)
        ) STRICT""")


@migrations()
def m020_freezes(db: Database) -> None:
    """Freezes that admins added; periods of others that they lifted; what a Change Calendar last said."""
    db.execute("""
        CREATE TABLE freeze (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            applications TEXT NOT NULL,
            starts_at TEXT NOT NULL,
            ends_at TEXT,
            reason TEXT NOT NULL,
            added_by TEXT NOT NULL,
            added_at TEXT NOT NULL
        ) STRICT""")
    db.execute("""
        CREATE TABLE freeze_lift (
            key TEXT PRIMARY KEY,
            lifted_by TEXT NOT NULL,
            lifted_at TEXT NOT NULL,
            reason TEXT NOT NULL
        ) STRICT""")
    db.execute("""
        CREATE TABLE calendar_reading (
            calendar TEXT PRIMARY KEY,
            state TEXT CHECK (state IN ('OPEN', 'CLOSED')),
            since TEXT,
            next_at TEXT,
            read_at TEXT,
            tried_at TEXT NOT NULL,
            error TEXT NOT NULL DEFAULT ''
        ) STRICT""")


@migrations()
def m021_agenda(db: Database) -> None:
    """What AWS said of windows and nodes when it was last asked, and what people were told of it: which executions,
    and what installs past the gate."""
    db.execute("""
        CREATE TABLE agenda_reading (
            account TEXT NOT NULL,
            region TEXT NOT NULL,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            read_at TEXT,
            tried_at TEXT NOT NULL,
            error TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (account, region, role)
        ) STRICT""")
    db.execute("""
        CREATE TABLE bypass (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            source TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            since TEXT NOT NULL,
            PRIMARY KEY (application, environment, source)
        ) STRICT""")
    db.execute("""
        CREATE TABLE environment_reading (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            nodes TEXT NOT NULL,
            read_at TEXT NOT NULL,
            PRIMARY KEY (application, environment)
        ) STRICT""")
    db.execute("""
        CREATE TABLE window_execution (
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            window_id TEXT NOT NULL,
            execution_time TEXT NOT NULL,
            content TEXT NOT NULL,
            first_seen_at TEXT NOT NULL,
            gone_at TEXT,
            moved_to TEXT,
            PRIMARY KEY (application, environment, window_id, execution_time)
        ) STRICT""")


@migrations()
def m022_window_orders(db: Database) -> None:
    """Maintenance windows that somebody asked to be made or changed at AWS, each with one outcome (I1).

    `form`: which form asked for it, so that one that is sent twice counts once. An inquiry may be about one window.
    """
    db.execute("ALTER TABLE inquiry ADD COLUMN about TEXT NOT NULL DEFAULT ''")
    db.execute("""
        CREATE TABLE window_order (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            action TEXT NOT NULL CHECK (action IN ('create', 'edit', 'enable', 'disable', 'delete')),
            application TEXT NOT NULL,
            environment TEXT NOT NULL,
            window_id TEXT,
            window_name TEXT NOT NULL,
            form TEXT UNIQUE,
            spec TEXT,
            state TEXT NOT NULL CHECK (state IN ('requested', 'done', 'failed')),
            requested_by TEXT NOT NULL,
            requested_at TEXT NOT NULL,
            tokens TEXT NOT NULL DEFAULT '{}',
            progress TEXT NOT NULL DEFAULT '{}',
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before TEXT,
            ended_at TEXT,
            note TEXT NOT NULL DEFAULT ''
        ) STRICT""")
    db.execute(
        "CREATE UNIQUE INDEX one_open_order ON window_order (application, environment) WHERE state = 'requested'"
    )
