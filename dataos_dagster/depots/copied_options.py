"""Options that manifests copy along from one input to the next, and that mean nothing where they stand."""

from __future__ import annotations

# Of text files and of databases: a table, and a file that holds its own types, has no use for them.
COPIED_TO_TABLES = frozenset({"header", "headers", "inferschema", "sep", "delimiter", "driver"})
# Files have no branches either.
COPIED_TO_FILES = COPIED_TO_TABLES | {"branch"}
