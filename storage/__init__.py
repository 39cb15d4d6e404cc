"""SQLite through sqlite-utils: schema, transitions, audit, outbox. The one durable state."""
