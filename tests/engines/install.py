"""Install the real engines that tests need: `python tests/engines/install.py [name …]`; without names, all of them.

What is there already is left alone. Ends with 1 when something could not be installed, after trying the rest.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from servers import ENGINES
from servers.cache import cache_folder
from servers.packages import InstallationFailed

if TYPE_CHECKING:
    from types import ModuleType


def install(name: str) -> str | None:
    """Install one engine unless it is there, and return why that failed, or None."""
    engine: ModuleType = importlib.import_module(f"servers.{ENGINES[name]}")
    if engine.missing() is None:
        print(f"{name}: present", flush=True)
        return None
    try:
        engine.install()
    except InstallationFailed as failure:
        return str(failure)
    return engine.missing()


def main() -> int:
    """Install what the command line names and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join(ENGINES))
    names = parser.parse_args().names or list(ENGINES)
    if unknown := set(names) - set(ENGINES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    print(f"downloads are kept in {cache_folder()}", flush=True)
    failures = {name: reason for name in names if (reason := install(name)) is not None}
    for name, reason in failures.items():
        print(f"{name}: {reason}", file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
