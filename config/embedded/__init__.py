"""The PostgreSQL that the project starts itself: no Django here."""

from config.embedded.cluster import (
    EmbeddedPostgresError,
    RunningServer,
    UnusableDataFolder,
    running_server,
)
from config.embedded.database import DatabaseRoles, prepare_database
from config.embedded.server import EmbeddedPostgres

__all__ = [
    "DatabaseRoles",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "RunningServer",
    "UnusableDataFolder",
    "prepare_database",
    "running_server",
]
