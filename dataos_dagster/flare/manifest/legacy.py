"""Older and misplaced forms of Flare jobs, rewritten to the present one with a warning each.

Flare has been through seven versions, and a version in a manifest says little about the age of its forms, so every
form is taken under every version. What is rewritten here is validated afterwards like everything else, and reported at
the place where it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest.files import inline_files, read_step_files
from dataos_dagster.flare.manifest.job import FlareJob
from dataos_dagster.flare.manifest.older_actions import rewrite_actions
from dataos_dagster.flare.manifest.outputs import OutputOptions
from dataos_dagster.flare.manifest.present import is_present_form
from dataos_dagster.flare.manifest.sinks import rewrite_sinks
from dataos_dagster.flare.manifest.standalone import STANDALONE_TYPES
from dataos_dagster.manifests.fields import keys_of
from dataos_dagster.manifests.rewriting import drop, enlist, move, move_each, spread
from dataos_dagster.manifests.spelling import fold, meant

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

JOB_KEYS = ("inputs", "steps", "outputs", "streaming", "assertions", "actions", "profile", "udfs", "variables")
# What a job does is in these.
_PARTS = ("inputs", "steps", "outputs")
# What tells an item of each, which may stand without a list, from anything else.
_ITEM_KEYS = {
    "inputs": frozenset({"name", "dataset"}),
    "steps": frozenset({"sequence", "sink", "sql"}),
    "outputs": frozenset({"name", "dataset", "depot"}),
}
# What tells a query of a step.
_QUERIES = frozenset({"sql", "sqlFile", "sqlfile", "classpath"})
# Reader options that are found beside `options` instead of in it.
_INPUT_OPTIONS = (
    "driver", "sfWarehouse", "sfRole", "sheetName", "header", "workbookPassword", "inferSchema", "delimiter", "sep",
    "enforceSchema", "timestampFormat", "dateFormat", "mode", "primitivesAsString", "prefersDecimal", "allowComments",
    "multiLine", "avroSchema", "datetimeRebaseMode", "positionalFieldMatching", "mergeSchema", "wholetext", "lineSep",
    "excludeAttribute", "columnNameOfCorruptRecord", "attributePrefix", "valueTag", "charset", "ignoreNamespace",
    "branch", "startingOffsets", "endingOffsets", "failOnDataLoss", "partitionColumn", "lowerBound", "upperBound",
    "numPartitions", "fetchsize",
)  # fmt: skip
# Options of writers that are found beside `extraOptions` instead of in it.
_WRITER_OPTIONS = (
    "branch", "sfWarehouse", "sfRole", "writeMethod", "intermediateFormat", "temporaryGcsBucket", "persistentGcsBucket",
    "rewriteBatchedStatements", "fanout-enabled", "header", "delimiter", "truncate", "batchsize",
)  # fmt: skip
_BELONG_TO_JOB = ("logLevel", "actions", "explain", "steps", "outputs")
_WRITE_OPTIONS = (
    "iceberg", "saveMode", "extraOptions", "sort", "partitionBy", "compressionType", "partitionSpec", "merge",
    "properties", "connectionProps", *_WRITER_OPTIONS,
)  # fmt: skip
_OUTPUT_KEYS = ("title", "tags", "description", "driver", "format")
_QUERY_OPTIONS = ("SSL", "driver", "cluster")
_LIFTED = ("format", "isStream", "schemaPath", "schemaString", "schemaType")
_ICEBERG_KEYS = ("merge", "properties")
_OUTPUT_OPTIONS = frozenset(field.alias or name for name, field in OutputOptions.model_fields.items())


_STANDALONE_KEYS = frozenset({*STANDALONE_TYPES, "outputType"})


def normalise(draft: Draft, path: DocumentPath) -> None:
    """Rewrite the old and misplaced forms of the `stackSpec` at a path."""
    if is_present_form(draft.mapping(path)):
        return
    _misplaced_in_spec(draft, path)
    job = (*path, "job")
    move(draft, (*job, "sparkConf"), (*path, "sparkConf"))
    _misplaced_in_job(draft, job)
    _misspelt_in_job(draft, job)
    if isinstance(draft.get((*job, "steps")), str):
        enlist(draft, (*job, "steps"))
    for part, keys in _ITEM_KEYS.items():
        if not keys.isdisjoint(draft.mapping((*job, part))):
            enlist(draft, (*job, part))
    for item, value in draft.items((*job, "inputs")):
        if isinstance(value, dict):
            _input(draft, item, job)
    read_step_files(draft, job)
    for item, _ in draft.items((*job, "steps")):
        _step_without_sequence(draft, item)
        _step(draft, item)
    rewrite_sinks(draft, job)
    inline_files(draft, job)
    for item, value in draft.items((*job, "outputs")):
        if isinstance(value, dict):
            _output(draft, item)


def _misplaced_in_spec(draft: Draft, path: DocumentPath) -> None:
    move(draft, (*path, "sparkConfig"), (*path, "sparkConf"))
    move_each(draft, path, JOB_KEYS, (*path, "job"))


def _misspelt_in_job(draft: Draft, job: DocumentPath) -> None:
    """Report a misspelt `inputs`, `steps` or `outputs` as an error: without it, the job would do something else."""
    known = keys_of(FlareJob)
    for key in [key for key in draft.mapping(job) if key not in known and fold(key) not in map(fold, known)]:
        wanted = meant(key, _PARTS)
        if wanted is not None and draft.get((*job, wanted)) is None:
            draft.misspelt((*job, key), wanted)
            draft.move((*job, key), (*job, wanted))


def _misplaced_in_job(draft: Draft, job: DocumentPath) -> None:
    move(draft, (*job, "loglevel"), (*job, "logLevel"))
    move(draft, (*job, "streaming", "showPreviewLines"), (*job, "showPreviewLines"))
    if draft.get((*job, "options")) is None:
        draft.take((*job, "options"))
    options = draft.mapping((*job, "options"))
    if options and set(options) <= set(_QUERY_OPTIONS):
        drop(draft, (*job, "options"), "`job.options` has no effect: ignored", "options of a query belong to its input")
    rewrite_actions(draft, job)


def _reject_stray_keys(draft: Draft, item: DocumentPath, job: DocumentPath) -> None:
    """Refuse keys of the job that stand inside an input: there is no telling where the input ends."""
    for key in _BELONG_TO_JOB:
        if draft.get((*item, key)) is not None and draft.get((*job, key)) is None:
            draft.error(
                "misplaced-key", (*item, key), f"`{key}` stands inside an input", "indent it like `inputs`", key=True
            )
            draft.take((*item, key))


def _input(draft: Draft, path: DocumentPath, job: DocumentPath) -> None:
    _reject_stray_keys(draft, path, job)
    _standalone(draft, path, "inputType")
    if draft.get((*path, "inputType")) is None:
        connector = tuple(key for key in draft.mapping(path) if "." in key)  # such as `es.nodes.wan.only`
        move_each(draft, path, (*_INPUT_OPTIONS, *connector), (*path, "options"))
    spread(draft, (*path, "options", "extraOptions"), (*path, "options"))
    drop(draft, (*path, "options", "saveMode"), "`saveMode` has no meaning for an input: ignored", "remove it")
    schema = draft.get((*path, "schema"))
    if isinstance(schema, str | dict):
        move(draft, (*path, "schema"), (*path, "schemaString"), code="old-form")
        if draft.get((*path, "schemaType")) is None:
            draft.put((*path, "schemaType"), "sparkJson")


def _step_without_sequence(draft: Draft, path: DocumentPath) -> None:
    """Read a query that stands in `steps` itself as a sequence of its own."""
    step = draft.mapping(path)
    if "sequence" in step or _QUERIES.isdisjoint(step):
        return
    item = {key: value for key, value in step.items() if key != "sink"}
    draft.warn("old-form", path, "a query stands in a `sequence`: read as one of its own", "write `- sequence:` above")
    draft.put(path, {"sequence": [item]} | ({"sink": step["sink"]} if "sink" in step else {}))
    draft.copy_origin(path, (*path, "sequence", 0))


def _step(draft: Draft, path: DocumentPath) -> None:
    for item, value in draft.items((*path, "sequence")):
        if not isinstance(value, dict):
            continue
        if "sqlfile" in value:
            move(draft, (*item, "sqlfile"), (*item, "sqlFile"), code="key-spelling")
        for call, written in draft.items((*item, "functions")):
            if isinstance(written, str):
                _named_only(draft, call, written)


def _named_only(draft: Draft, call: DocumentPath, name: str) -> None:
    """Read a word in a list of functions as the name of one without parameters."""
    draft.warn("old-form", call, f"a function is a mapping: read as `name: {name}`", f"write `name: {name}`")
    draft.put(call, {"name": name})
    draft.copy_origin(call, (*call, "name"))


def _output(draft: Draft, path: DocumentPath) -> None:
    options, output = (*path, "options"), draft.mapping(path)
    _name_output(draft, path)
    if not _STANDALONE_KEYS.isdisjoint(output):
        _standalone(draft, path, "outputType")
    drop(draft, (*path, "isStream"), "`isStream` has no meaning for an output: ignored", "remove it")
    kind = output.get("outputType")
    if isinstance(kind, str) and output.get(kind.lower()) is None and output.get("dataset"):
        move(draft, (*path, "outputType"), (*path, "format"), code="old-form")
    if "type" in output:
        move(draft, (*path, "type"), (*path, "format"))
    move_each(draft, path, _WRITE_OPTIONS, options)
    if output.get("options"):
        move_each(draft, options, _OUTPUT_KEYS, path)
        _old_file_nesting(draft, path)
        _write_options(draft, options)
    _trailing_slash(draft, path)


def _name_output(draft: Draft, path: DocumentPath) -> None:
    """Name an output without a name after the last view of the job, which is what it can only mean."""
    if draft.get((*path, "name")) is not None:
        return
    job = path[:-2]
    items = [item for step, _ in draft.items((*job, "steps")) for item, _ in draft.items((*step, "sequence"))]
    views = items or [item for item, _ in draft.items((*job, "inputs"))]
    name = draft.get((*views[-1], "name")) if views else None
    if isinstance(name, str):
        message = f"the output has no `name`: the last view, `{name}`, is written"
        draft.warn("old-form", path, message, f"write `name: {name}`")
        draft.put((*path, "name"), name)


def _write_options(draft: Draft, options: DocumentPath) -> None:
    move_each(draft, options, _ICEBERG_KEYS, (*options, "iceberg"))
    move_each(draft, options, _WRITER_OPTIONS, (*options, "extraOptions"))
    if draft.get((*options, "partitionSpec")) is not None:
        message = "a `partitionSpec` directly under `options` is not applied: the table is not partitioned by it"
        draft.warn("ignored-partition-spec", (*options, "partitionSpec"), message, "move it below `iceberg`", key=True)
    if "write.metadatacompression-codec" in draft.mapping((*options, "iceberg", "properties")):
        move(
            draft,
            (*options, "iceberg", "properties", "write.metadatacompression-codec"),
            (*options, "iceberg", "properties", "write.metadata.compression-codec"),
            code="key-spelling",
        )
    for key, value in list(draft.mapping(options).items()):
        # `es.nodes.wan.only` and its like can only be meant for the connector.
        if "." in key and not isinstance(value, dict | list):
            move(draft, (*options, key), (*options, "extraOptions", key))


def _old_file_nesting(draft: Draft, path: DocumentPath) -> None:
    old = (*path, "options", "file")
    if draft.get(old) is None:
        return
    move(draft, (*old, "saveMode"), (*path, "options", "saveMode"), code="old-form")
    move(draft, (*old, "outputType"), (*path, "format"), code="old-form")
    move(draft, (*old, "iceberg"), (*path, "options", "iceberg"), code="old-form")
    if not draft.mapping(old):
        draft.take(old)


def _trailing_slash(draft: Draft, path: DocumentPath) -> None:
    """Strip the slash behind the name of a table; behind that of a folder of files it has a meaning."""
    dataset, table_format = draft.get((*path, "dataset")), draft.get((*path, "format"))
    is_table = isinstance(table_format, str) and table_format.lower() in {"iceberg", "delta"}
    if isinstance(dataset, str) and is_table and dataset.partition("?")[0].endswith("/"):
        address, mark, params = dataset.partition("?")
        draft.warn("trailing-slash", (*path, "dataset"), "a table's address ends without `/`", "remove the last `/`")
        draft.put((*path, "dataset"), f"{address.rstrip('/')}{mark}{params}")


def _infer_type(draft: Draft, path: DocumentPath, type_key: str) -> None:
    """Take a section of a connection for what the missing type says."""
    entry = draft.mapping(path)
    section = next((key for key in entry if key in STANDALONE_TYPES and isinstance(entry[key], dict)), None)
    if section is not None and entry.get(type_key) is None and entry.get("dataset") is None:
        message = f"`{type_key}` is missing: read as `{section}`, which has a section"
        draft.warn("old-form", (*path, section), message, f"write `{type_key}: {section}`", key=True)
        entry[type_key] = section


def _format_of_messages(draft: Draft, section: DocumentPath) -> None:
    """Lift the `format` among the options of a topic: it says what messages hold, and no option of Kafka does."""
    written = draft.get((*section, "options", "format"))
    if isinstance(written, str) and draft.get((*section, "format")) is None:
        draft.move((*section, "options", "format"), (*section, "format"))
        if written.strip().lower() in {"avro", "json"}:
            draft.put((*section, "format"), f"kafka{written.strip().lower()}")


def _standalone(draft: Draft, path: DocumentPath, type_key: str) -> None:
    """Lift what is not about the connection out of a connection that is spelled out: there is one place for it."""
    move(draft, (*path, "bigquery", "projected"), (*path, "bigquery", "projectId"), code="key-spelling")
    _infer_type(draft, path, type_key)
    kind = draft.get((*path, type_key))
    section = (*path, kind.strip().lower()) if isinstance(kind, str) else path
    if section == path or not draft.mapping(section):
        return
    if section[-1] == "kafka":
        _format_of_messages(draft, section)
    if isinstance(draft.get((*section, "isBatch")), bool):
        draft.put((*section, "isBatch"), not draft.get((*section, "isBatch")))
        draft.move((*section, "isBatch"), (*section, "isStream"))
    if type_key == "outputType" and isinstance(draft.get((*section, "isStream")), bool):
        draft.take((*section, "isStream"))  # a writer follows its input
    for key in _LIFTED:
        if draft.get((*section, key)) is not None and draft.get((*path, key)) is None:
            draft.move((*section, key), (*path, key))
    for key in list(draft.mapping((*section, "options"))):
        # What is no option of an output can only be meant for the writer.
        passed_on = type_key == "outputType" and key not in _OUTPUT_OPTIONS
        target = (*path, "options", *(("extraOptions",) if passed_on else ()), key)
        if draft.get(target) is None:
            draft.move((*section, "options", key), target)
    if isinstance(draft.get((*section, "options")), dict):
        draft.take((*section, "options"))
