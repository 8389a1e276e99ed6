"""Run the parity suite on both engines and publish what it shows: `python tests/engines/parity`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Publish what the suite shows; return 1 when a vector is filed wrongly, and say which."""
    # In the place of this folder, so that tests and this program import the suite under one name.
    sys.path[0] = str(Path(__file__).parents[1])
    from parity.publish import publish
    from parity.suite import findings, settled_proofs
    from sessions import SAIL, SPARK, engine_settings

    from dataos_dagster.engines.session import Sessions

    with tempfile.TemporaryDirectory() as folder, Sessions(engine_settings(Path(folder))) as sessions:
        spark = sessions.get(SPARK)
        functions = [name for [name] in spark.spark.sql("SHOW SYSTEM FUNCTIONS").collect()]
        found = list(findings(sessions.get(SAIL), spark))
    wrong = [item for item in found if item.problem]
    for item in wrong:
        sys.stdout.write(f"{item.area}: {item.case.construct}: {item.vector}: {item.problem}\n")
    publish(settled_proofs(found), functions)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
