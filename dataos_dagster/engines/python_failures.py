"""What failed in a function in Python, told without the frames of the engine that called it."""

from __future__ import annotations

import re

_BEGIN = "Traceback (most recent call last):\n"
_WORKER = "Python worker"
# A frame is its line and what is indented under it: the source, and marks below that.
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line \d+.*\n(?:    .*\n)*')
# Frames of engines: their packages, and what is compiled into them, whose files have no folder or none of this machine.
_OF_ENGINES = re.compile(r"^(?!/|[A-Za-z]:\\)|[/\\](?:pyspark|pyarrow|pysail)[/\\]|[/\\]pyspark\.zip[/\\]")
_MISFIT = re.compile(r"(?:pyarrow\.lib\.)?Arrow(?:Invalid|TypeError|NotImplementedError)\b")
# How Arrow says which value it was: texts are read, everything else is converted.
_TEXT = re.compile(r"Failed to parse string: (?P<value>.+) as a scalar of type (?P<declared>\w+)")
_VALUE = re.compile(r"Could not convert (?P<value>.+) with type (?P<type>\w+): tried to convert to (?P<declared>\w+)")


def python_failure(text: str) -> str | None:
    """Return what a function in Python failed with, and its own frames; None for a message that is of something else.

    Args:
        text: What an engine said; where one error led to another, the last one counts, as in Python.
    """
    said, begin, trace = text.rpartition(_BEGIN)
    if not begin or _WORKER not in said:
        return None
    frames = ""
    while found := _FRAME.match(trace):
        if not _OF_ENGINES.search(found["file"]):
            frames += found.group()
        trace = trace[found.end() :]
    raised = trace.strip()
    if not frames and _MISFIT.match(raised):
        if value := _VALUE.search(raised) or _TEXT.search(raised):
            kind = value.groupdict().get("type", "str")
            return f"a function in Python returned {value['value']}, a {kind}, and declares {value['declared']}"
        return f"what a function in Python returned does not fit the type that it declares: {raised}"
    return f"a function in Python failed: {raised}\n{frames}".rstrip()
