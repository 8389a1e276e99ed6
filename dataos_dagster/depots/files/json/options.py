"""Options of Spark's JSON reader: those that we follow on Sail, and those that need Spark.

Names and defaults: Spark SQL guide, JSON Files, Data Source Option. Keys are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from dataos_dagster.depots.copied_options import COPIED_TO_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["PERMISSIVE", "DROPMALFORMED", "FAILFAST"]

# Options that our reader on Sail follows.
_FOLLOWED = frozenset({"mode", "multiline", "primitivesasstring"})
# What Spark does anyway; written out, they change nothing.
_DEFAULTS: Mapping[str, str] = {
    "prefersdecimal": "false",
    "allowcomments": "false",
    "allowunquotedfieldnames": "false",
    "allowsinglequotes": "true",
    "allownumericleadingzeros": "false",
    "allowbackslashescapinganycharacter": "false",
    "allowunquotedcontrolchars": "false",
    "allownonnumericnumbers": "true",
    "dropfieldifallnull": "false",
    "columnnameofcorruptrecord": "_corrupt_record",
    "samplingratio": "1.0",
    "infertimestamp": "false",
    "timezone": "utc",
    "dateformat": "",
    "timestampformat": "",
    "timestampntzformat": "",
    "locale": "en-us",
    "linesep": "\n",
    "encoding": "utf-8",
    "charset": "utf-8",
    "pathglobfilter": "",
    "recursivefilelookup": "false",
    "modifiedbefore": "",
    "modifiedafter": "",
}


@dataclass(frozen=True, slots=True)
class JsonOptions:
    """How a JSON file is read.

    Attributes:
        multi_line: A file is one document instead of one a line.
        primitives_as_string: Without a schema, numbers and booleans are read as texts.
    """

    mode: Mode = "PERMISSIVE"
    multi_line: bool = False
    primitives_as_string: bool = False

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> Self:
        """Return the options that a manifest gives.

        Args:
            options: Keys in lower case.
        """
        mode = options.get("mode", "PERMISSIVE").upper()
        return cls(
            mode="DROPMALFORMED" if mode == "DROPMALFORMED" else "FAILFAST" if mode == "FAILFAST" else "PERMISSIVE",
            multi_line=options.get("multiline", "false").lower() == "true",
            primitives_as_string=options.get("primitivesasstring", "false").lower() == "true",
        )


def json_obstacles(options: Mapping[str, str]) -> list[str]:
    """Return why JSON with these options is left to Spark, as sentences; empty when we read it the same way.

    Args:
        options: Keys in lower case.
    """
    return [
        f"the JSON option {key} is followed by Spark only"
        for key, value in sorted(options.items())
        if key not in _FOLLOWED | COPIED_TO_FILES and value.lower() != _DEFAULTS.get(key)
    ]
