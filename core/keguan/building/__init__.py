"""Put an installation together: database, plugins, cities, templates, adapters. The only place that knows how."""

from keguan.building.databases import (
    REHEARSAL_OUTBOX,
    delete_rehearsal,
    open_database,
    open_rehearsal,
    rehearsal_file,
)
from keguan.building.engines import build_engine, build_rules
from keguan.building.installations import build_installation, build_templates
from keguan.building.ways import WayOut, build_routes, build_ways_out

__all__ = [
    "REHEARSAL_OUTBOX",
    "WayOut",
    "build_engine",
    "build_installation",
    "build_routes",
    "build_rules",
    "build_templates",
    "build_ways_out",
    "delete_rehearsal",
    "open_database",
    "open_rehearsal",
    "rehearsal_file",
]
