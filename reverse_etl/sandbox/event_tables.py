"""The tables of events and metrics in the state file."""

from __future__ import annotations

from typing import Final

_METRICS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS metrics (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL
)
"""
_EVENTS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, uuid TEXT NOT NULL,
    profile INTEGER NOT NULL, metric INTEGER NOT NULL, unique_id TEXT NOT NULL, at INTEGER NOT NULL,
    properties BLOB NOT NULL, value REAL, currency TEXT, backfill INTEGER NOT NULL, visible_at REAL NOT NULL,
    UNIQUE (profile, metric, unique_id)
)
"""
EVENT_TABLE_STATEMENTS: Final = (_METRICS_TABLE, _EVENTS_TABLE)
