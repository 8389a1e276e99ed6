"""What `dg` finds when it lists the components of installed packages.

`dg` imports this module for every code location of every project, and one failing import there stops all of them: so
nothing here depends on an optional package.
"""

from __future__ import annotations

from dataos_dagster.bundles.component import DataOSBundleComponent

__all__ = ["DataOSBundleComponent"]
