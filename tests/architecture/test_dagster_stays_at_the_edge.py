"""Dagster is imported where definitions are made, and its private names in one module."""

# What a module is called says that it may import Dagster: the mapping, the resources, and the component.
EDGE = {
    "definitions.py",
    "resource.py",
    "component.py",
    "components.py",
    "quarantine.py",
    "sensors.py",
    "scaffolder.py",
}
# The mapping of workflows, and of what runs without an end, is more than one module holds.
MAPPING = {
    "workflows/supervisor/definitions.py",
    "workflows/backfills.py",
    "workflows/materialization.py",
    "workflows/metadata.py",
    "workflows/schedules.py",
    "workflows/translator.py",
}
COMPATIBILITY = "dagster_compat.py"


def is_dagster(name: str) -> bool:
    return name.partition(".")[0].startswith("dagster")


def stands_at_the_edge(module: str) -> bool:
    return module in MAPPING or module == COMPATIBILITY or module.rpartition("/")[2] in EDGE


def test_only_the_modules_at_the_edge_import_dagster(modules):
    strangers = [
        f"{module.name}:{line} imports {name}"
        for module in modules
        for line, name in module.imports()
        if is_dagster(name) and not stands_at_the_edge(module.name)
    ]
    assert strangers == []


def test_manifests_have_no_edge(modules):
    """A resource model called `resource.py` must not become a loophole."""
    importers = [
        f"{module.name}:{line} imports {name}"
        for module in modules
        if module.name.startswith("manifests/")
        for line, name in module.imports()
        if is_dagster(name) or name.split(".")[0] == "pyspark"
    ]
    assert importers == []


def test_private_names_of_dagster_are_imported_in_one_module(modules):
    private = [
        f"{module.name}:{line} imports {name}"
        for module in modules
        if module.name != COMPATIBILITY
        for line, name in module.imports()
        if is_dagster(name)
        and (name.startswith("dagster_shared") or any(p.startswith("_") for p in name.split(".")[1:]))
    ]
    assert private == []
