"""Words that several commands take on the command line."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """Words for `--engine`."""

    AUTO = "auto"
    SAIL = "sail"
    SPARK = "spark"
    CONNECT = "connect"
