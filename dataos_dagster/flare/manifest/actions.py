"""Actions of a Flare job: the maintenance of Iceberg tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextMap, folded

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

ActionName = Literal["rewrite_dataset", "rewrite_manifest", "expire_snapshots", "remove_orphans", "delete_from_dataset"]
# In the plural and the singular, and without underscores.
_SYNONYMS = {
    "rewrite_manifests": "rewrite_manifest", "expire_snapshot": "expire_snapshots", "remove_orphan": "remove_orphans",
    "remove_orphan_files": "remove_orphans", "rewritedataset": "rewrite_dataset",
    "rewritemanifest": "rewrite_manifest", "rewritemanifests": "rewrite_manifest",
    "expiresnapshots": "expire_snapshots", "removeorphans": "remove_orphans",
    "deletefromdataset": "delete_from_dataset",
}  # fmt: skip


_ZONE = re.compile(r"\s*(?:UTC|GMT)$")


def _moment(text: str) -> str:
    try:
        moment_of(text)
    except ValueError:
        raise ValueError("a moment reads `2025-04-19 00:00:00.000`, in UTC unless it names a zone") from None
    return text


def moment_of(text: str) -> datetime:
    """Return the moment that a text names, in UTC; one without a zone is in UTC.

    Raises:
        ValueError: It names none.
    """
    found = datetime.fromisoformat(_ZONE.sub("+00:00", text.strip()))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _snapshot_id(text: str) -> str:
    if not text.strip().isascii() or not text.strip().isdigit():
        raise ValueError("a snapshot's id is a number; the metadata of a run and Iceberg's table `snapshots` have it")
    return text.strip()


Moment = Annotated[ScalarText, AfterValidator(_moment)]
SnapshotId = Annotated[ScalarText, AfterValidator(_snapshot_id)]
Threads = Annotated[int | None, Field(gt=0, description="Files that are deleted at a time; default one after another.")]


class ActionOptions(ManifestModel):
    """Options of an action that has none."""


class RewriteDataset(ActionOptions):
    """Compaction: many small data files become few."""

    strategy: Annotated[
        Literal["binpack", "sort"], AnyCase({"zorder": "sort"}), Field(description="How files are put together.")
    ] = "binpack"
    sort_order: Annotated[
        str | None,
        Field(
            min_length=1, description="`id DESC NULLS LAST, name` or `zorder(a, b)`; default: the table's own order."
        ),
    ] = None
    where: Annotated[
        str | None, Field(min_length=1, description="Only files that may hold rows for which this condition holds.")
    ] = None
    properties: Annotated[
        TextMap, Field(description="Options of Iceberg's rewrite_data_files, such as target-file-size-bytes.")
    ] = Field(default_factory=dict)


class RewriteManifest(ActionOptions):
    """Manifests, the lists of data files, are written anew."""

    use_caching: Annotated[bool, Field(description="Keep the entries of manifests in Spark's memory meanwhile.")] = True
    spec_id: Annotated[
        int | None, Field(ge=0, description="Only manifests of this partition spec; default the table's present one.")
    ] = None


class _OlderThan(ActionOptions):
    older_than_millis: Annotated[int | None, Field(ge=0, description="Milliseconds since 1970, UTC.")] = None
    older_than_timestamp: Annotated[Moment | None, Field(description="`2025-04-19 00:00:00.000`, UTC.")] = None
    max_concurrent_deletes: Threads = None

    @property
    def older_than(self) -> datetime | None:
        """Return the limit of age, in UTC; None when none is given."""
        if self.older_than_millis is not None:
            return datetime.fromtimestamp(self.older_than_millis / 1000, UTC)
        return moment_of(self.older_than_timestamp) if self.older_than_timestamp is not None else None


class ExpireSnapshots(_OlderThan):
    """Old snapshots go, and the files that no other snapshot has."""

    snapshot_ids: Annotated[
        tuple[SnapshotId, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str | int) else value),
        Field(description="Exactly these snapshots."),
    ] = ()
    retain_last: Annotated[
        int | None, Field(gt=0, description="So many of the newest snapshots stay; default the table's, which is 1.")
    ] = None
    stream_delete_results: Annotated[
        bool, Field(description="Send the list of files to the driver in parts, for tables with very many.")
    ] = False


class RemoveOrphans(_OlderThan):
    """Files that no snapshot knows go: what failed writers have left."""

    location: Annotated[
        str | None, Field(min_length=1, description="Folder inside the table's; default the whole table.")
    ] = None
    dry_run: Annotated[bool, Field(description="Say which files would go, and remove none.")] = False
    allow_recent: Annotated[
        bool, Field(description="Files may be younger than `flare.orphan_days` of dataos.yaml says.")
    ] = False


OPTIONS: Mapping[str, type[ActionOptions]] = {
    "rewrite_dataset": RewriteDataset,
    "rewrite_manifest": RewriteManifest,
    "expire_snapshots": ExpireSnapshots,
    "remove_orphans": RemoveOrphans,
    "delete_from_dataset": ActionOptions,
}


def options_of(name: object) -> type[ActionOptions] | None:
    """Return the model of the options of an action, however its name is spelt; None where there is no such action."""
    found = folded(name)
    return OPTIONS.get(_SYNONYMS.get(found, found)) if isinstance(found, str) else None


class Action(ManifestModel):
    """Maintenance of an Iceberg table."""

    name: Annotated[ActionName, AnyCase(_SYNONYMS), Field(description="What is done.")]
    input: Annotated[ScalarText | None, Field(description="The input whose table it is; default the only one.")] = None
    options: Annotated[
        ActionOptions | Mapping[str, Any], Field(validate_default=True, description="Options of the action.")
    ] = Field(default_factory=dict)
    delete_where: Annotated[
        str | None,
        Field(min_length=1, description="delete_from_dataset: condition of the rows to delete; the table is `target`."),
    ] = None

    @field_validator("options", mode="plain")
    @classmethod
    def _typed_by_name(cls, value: Any, info: ValidationInfo) -> Any:
        """Validate the options with the model of the action; those of an unknown one stay as they are."""
        model = OPTIONS.get(info.data.get("name", ""))
        if model is None or isinstance(value, BaseModel):
            return value
        if not isinstance(value, Mapping):
            raise PydanticCustomError("dict_type", "expected a mapping")
        return model.model_validate(value, by_alias=True, by_name=False)

    @classmethod
    def section_model(cls, key: str, data: Any) -> type[BaseModel] | None:
        """Return the model of `options`, which the name of the action decides."""
        return options_of(data.get("name")) if key == "options" and isinstance(data, Mapping) else None

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe `options` by the name of the action."""
        described = handler.resolve_ref_schema(handler(schema))
        described["properties"]["options"] = {"type": "object", "description": "Options of the action."}
        described["allOf"] = [
            {
                "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
                "then": {"properties": {"options": handler(model.__pydantic_core_schema__)}},
            }
            for name, model in OPTIONS.items()
        ]
        return described
