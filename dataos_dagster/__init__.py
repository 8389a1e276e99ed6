"""Run DataOS manifests, unmodified, on Dagster and open engines.

The names below are the public surface. Each is imported when it is first used, so that importing this package loads
neither Dagster nor an engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataos_dagster.address import Address
    from dataos_dagster.bundles.component import DataOSBundleComponent
    from dataos_dagster.bundles.definitions import load_definitions
    from dataos_dagster.depots.resource import DepotResource
    from dataos_dagster.errors import DataOSError, ManifestError
    from dataos_dagster.manifests.diagnostics import Diagnostic, Severity
    from dataos_dagster.manifests.project import Project, load_project
    from dataos_dagster.settings import Settings, load_settings
    from dataos_dagster.workflows.translator import JobTranslator

__all__ = [
    "Address",
    "DataOSBundleComponent",
    "DataOSError",
    "DepotResource",
    "Diagnostic",
    "JobTranslator",
    "ManifestError",
    "Project",
    "Settings",
    "Severity",
    "load_definitions",
    "load_project",
    "load_settings",
]

_MODULES = {
    "Address": "address",
    "DataOSBundleComponent": "bundles.component",
    "DataOSError": "errors",
    "DepotResource": "depots.resource",
    "Diagnostic": "manifests.diagnostics",
    "JobTranslator": "workflows.translator",
    "ManifestError": "errors",
    "Project": "manifests.project",
    "Settings": "settings",
    "Severity": "manifests.diagnostics",
    "load_definitions": "bundles.definitions",
    "load_project": "manifests.project",
    "load_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
