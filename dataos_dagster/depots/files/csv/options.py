"""Options of Spark's CSV reader: those that we follow on Sail, and those that need Spark.

Names and defaults: Spark SQL guide, CSV Files, Data Source Option. Keys are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from dataos_dagster.depots.copied_options import COPIED_TO_FILES
from dataos_dagster.depots.files.patterns import is_known_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["PERMISSIVE", "DROPMALFORMED", "FAILFAST"]

# Options that our reader on Sail follows; `csv_obstacles` looks at the values of some.
_FOLLOWED = frozenset(
    {
        *("sep", "delimiter", "header", "quote", "escape", "nullvalue", "nanvalue", "positiveinf", "negativeinf"),
        *("mode", "inferschema", "dateformat", "timestampformat", "encoding", "charset"),
    }
)
# What Spark does anyway; written out, they change nothing.
_DEFAULTS: Mapping[str, str] = {
    "enforceschema": "true",
    "multiline": "false",
    "ignoreleadingwhitespace": "false",
    "ignoretrailingwhitespace": "false",
    "preferdate": "true",
    "emptyvalue": "",
    "samplingratio": "1.0",
    "recursivefilelookup": "false",
}


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How a CSV file is read.

    Attributes:
        header: The first line of a file names its columns; true unless said otherwise (Spark's own default is false).
        date_format: Java pattern; None reads ISO dates leniently.
        timestamp_format: Java pattern; None reads ISO timestamps leniently.
    """

    separator: str = ","
    quote: str = '"'
    escape: str = "\\"
    header: bool = True
    null_value: str = ""
    nan_value: str = "NaN"
    positive_infinity: str = "Inf"
    negative_infinity: str = "-Inf"
    mode: Mode = "PERMISSIVE"
    infer_schema: bool = False
    date_format: str | None = None
    timestamp_format: str | None = None

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> Self:
        """Return the options that a manifest gives.

        Args:
            options: Keys in lower case.
        """
        mode = options.get("mode", "PERMISSIVE").upper()
        return cls(
            separator=_separator(options),
            quote=options.get("quote", '"'),
            escape=options.get("escape", "\\"),
            header=options.get("header", "true").lower() == "true",
            null_value=options.get("nullvalue", ""),
            nan_value=options.get("nanvalue", "NaN"),
            positive_infinity=options.get("positiveinf", "Inf"),
            negative_infinity=options.get("negativeinf", "-Inf"),
            # Spark takes a mode that it does not know for PERMISSIVE.
            mode="DROPMALFORMED" if mode == "DROPMALFORMED" else "FAILFAST" if mode == "FAILFAST" else "PERMISSIVE",
            infer_schema=options.get("inferschema", "false").lower() == "true",
            date_format=options.get("dateformat"),
            timestamp_format=options.get("timestampformat"),
        )


def csv_obstacles(options: Mapping[str, str]) -> list[str]:
    """Return why CSV with these options is left to Spark, as sentences; empty when we read it the same way.

    Args:
        options: Keys in lower case.
    """
    reasons = [
        f"the CSV option {key} is followed by Spark only"
        for key, value in sorted(options.items())
        if key not in _FOLLOWED | COPIED_TO_FILES and value.lower() != _DEFAULTS.get(key)
    ]
    separator = _separator(options)
    if len(separator) != 1:
        reasons.append(f"the CSV separator {separator!r} is read by Spark only")
    reasons += [
        f"the CSV option {key} with another length than 1 is followed by Spark only"
        for key in ("quote", "escape")
        if len(options.get(key, "x")) != 1
    ]
    reasons += [
        f"CSV in the encoding {options[key]} is read by Spark only"
        for key in ("encoding", "charset")
        if options.get(key, "utf-8").lower().replace("_", "-") not in {"utf-8", "utf8"}
    ]
    reasons += [
        f"the CSV option {key}: {options[key]!r} uses letters that are read by Spark only"
        for key in ("dateformat", "timestampformat")
        if key in options and not is_known_pattern(options[key])
    ]
    return reasons


def _separator(options: Mapping[str, str]) -> str:
    separator = options.get("sep", options.get("delimiter", ","))
    return {"\\t": "\t", "\\|": "|"}.get(separator, separator)
