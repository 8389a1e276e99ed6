"""Settings of a project: `dataos.yaml` in its folder, and `DATAOS_*` variables, which win.

A variable's name is the path of the setting in capitals with two underscores between levels:
`DATAOS_STATE__URL`, `DATAOS_ENGINES__DEFAULT`.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from dataos_dagster.errors import SettingsError
from dataos_dagster.redaction import register
from dataos_dagster.settings_errors import settings_error, unreadable_variable
from dataos_dagster.settings_file import read_settings_file

SETTINGS_FILE = "dataos.yaml"
STATE_FOLDER = ".dataos"

EngineName = Literal["sail", "spark", "connect"]
EngineChoice = Literal["auto", "sail", "spark", "connect"]


def _text(value: object) -> object:
    """Return the text that a YAML scalar was meant as: Spark's and a catalog's properties are all texts."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text)]

_SECRET_WORDS = ("credential", "token", "secret", "password")
# Properties that only speak of a secret, such as `token-refresh-enabled` and `oauth2-server-uri`.
_ABOUT_SECRETS = ("enabled", "-ms", "-at", "uri", "provider")


def _is_secret(key: str) -> bool:
    name = key.lower()
    if name.endswith(_ABOUT_SECRETS):
        return False
    return any(word in name for word in _SECRET_WORDS) or ("key" in name and "access" in name)


def _hide(properties: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    return {
        key: SecretStr(value) if isinstance(value, str) and _is_secret(key) else value
        for key, value in properties.items()
    }


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SparkSettings(_Section):
    """How Apache Spark is started."""

    master: Annotated[str, Field(description="Spark master: local[N], spark://…, yarn, k8s://….")] = "local[*]"
    packages: Annotated[
        tuple[str, ...], Field(description="Connectors by Maven coordinate, added to those that depots need.")
    ] = ()
    conf: Annotated[dict[str, Text], Field(description="Spark properties of every session.")] = {}
    repositories: Annotated[tuple[str, ...], Field(description="Further Maven repositories.")] = ()


class ConnectSettings(_Section):
    """An existing Spark Connect endpoint."""

    url: Annotated[str | None, Field(description="sc://host:port of a Spark or Sail cluster.")] = None
    token: Annotated[SecretStr | None, Field(description="Bearer token of the endpoint.")] = None


class EngineSettings(_Section):
    """Which engine runs a job."""

    default: Annotated[EngineChoice, Field(description="auto: Sail where it is proven equal, Spark otherwise.")] = (
        "auto"
    )
    jobs: Annotated[dict[str, EngineChoice], Field(description="Engine of single jobs, by workflow/job.")] = {}
    idle_seconds: Annotated[
        float | None, Field(gt=0, description="An engine that no job uses for so long is ended; null keeps it.")
    ] = 600.0
    spark: SparkSettings = SparkSettings()
    connect: ConnectSettings = ConnectSettings()


class StateSettings(_Section):
    """The state database."""

    url: Annotated[SecretStr | None, Field(description="SQLAlchemy URL; default: SQLite in .dataos/state.db.")] = None


class CatalogSettings(_Section):
    """An Iceberg REST catalog that serves one depot."""

    uri: Annotated[str, Field(description="Address of the REST catalog.")]
    warehouse: Annotated[str | None, Field(description="Warehouse that the catalog is asked for.")] = None
    properties: Annotated[
        dict[str, Text | SecretStr],
        AfterValidator(_hide),
        Field(description="Further pyiceberg and Spark catalog properties."),
    ] = {}
    token: Annotated[SecretStr | None, Field(description="Bearer token of the catalog.")] = None

    @property
    def plain_properties(self) -> dict[str, str]:
        """Return the properties whose values may be seen."""
        return {key: value for key, value in self.properties.items() if isinstance(value, str)}

    @property
    def secret_properties(self) -> dict[str, SecretStr]:
        """Return the properties whose keys speak of a secret: credentials, tokens, passwords, access keys."""
        return {key: value for key, value in self.properties.items() if isinstance(value, SecretStr)}


class SecretSettings(_Section):
    """Where secrets are looked up, first match wins."""

    backends: Annotated[
        tuple[Literal["manifests", "environment", "files", "encrypted"], ...], Field(description="Order of look-up.")
    ] = ("manifests", "environment", "files", "encrypted")
    folder: Annotated[Path | None, Field(description="Folder with one sub-folder a secret and one file a key.")] = None
    encrypted_file: Annotated[Path | None, Field(description="Encrypted store; default .dataos/secrets.enc.")] = None


class BundleSettings(_Section):
    """How one bundle is deployed."""

    isolation: Annotated[
        Literal["shared", "process"], Field(description="process: a Dagster code location of its own.")
    ] = "shared"


class ComputeSettings(_Section):
    """What a DataOS compute name means here."""

    tags: Annotated[dict[str, Text], Field(description="Dagster run tags of jobs on this compute.")] = {}
    pool: Annotated[str | None, Field(description="Dagster concurrency pool.")] = None


class FlareSettings(_Section):
    """Readings of Flare manifests that a project may change."""

    system_columns: Annotated[bool, Field(description="Add the __metadata map column to what is written.")] = False
    default_save_mode: Annotated[
        Literal["overwrite", "append"], Field(description="saveMode when a manifest gives none.")
    ] = "overwrite"
    assertions: Annotated[
        Literal["fail", "warn"],
        Field(description="What a failed assertion of a job does; those in front of an output always stop the write."),
    ] = "fail"
    orphan_days: Annotated[
        float,
        Field(ge=0, description="Days for which remove_orphans leaves a file alone, unless it says allowRecent."),
    ] = 3
    honour_options_partition_spec: Annotated[
        bool, Field(description="Apply a partitionSpec that stands directly under options.")
    ] = False
    data_root: Annotated[
        Path | None, Field(description="Folder that absolute local paths of standalone jobs are below.")
    ] = None


class BackfillSettings(_Section):
    """Ranges of an incremental job that Dagster can read again."""

    cadence: Annotated[Literal["hourly", "daily", "weekly", "monthly"], Field(description="Length of a range, in UTC.")]
    start: Annotated[datetime, Field(description="When the first range begins.")]
    start_key: Annotated[
        str, Field(validation_alias=AliasChoices("startKey", "start_key"), description="Key of a range's beginning.")
    ]
    end_key: Annotated[
        str, Field(validation_alias=AliasChoices("endKey", "end_key"), description="Key of a range's end.")
    ]
    format: Annotated[str, Field(description="How values of the keys are written.")] = "%Y-%m-%d %H:%M:%S"


class DepotSettings(_Section):
    """How many jobs use one depot at the same time."""

    pool: Annotated[str | None, Field(description="Dagster concurrency pool of jobs that use it.")] = None
    jobs_at_once: Annotated[
        int | None, Field(ge=1, description="At most so many jobs of one `dataos run` use it at the same time.")
    ] = None


class RunSettings(_Section):
    """How jobs run."""

    jobs_at_once: Annotated[
        int, Field(ge=1, description="How many independent jobs `dataos run` runs at the same time.")
    ] = 1
    seconds: Annotated[float | None, Field(gt=0, description="How long a job may run before it is stopped.")] = None
    seconds_of: Annotated[dict[str, float], Field(description="The same for single jobs, by workflow/job.")] = {}


class LimitSettings(_Section):
    """Bounds that keep a bad file from taking the loader down."""

    file_bytes: Annotated[int, Field(gt=0, description="Largest manifest file, in bytes.")] = 5_000_000
    depth: Annotated[int, Field(gt=0, description="Deepest nesting of a manifest.")] = 100
    lock_seconds: Annotated[float, Field(ge=0, description="How long a writer waits for a table's lock.")] = 60.0


class Settings(BaseSettings):
    """All settings of a project."""

    model_config = SettingsConfigDict(
        env_prefix="DATAOS_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        nested_model_default_partial_update=True,
    )

    project: Annotated[Path, Field(exclude=True, description="The project's folder.")] = Path()
    identity: Annotated[
        str | None, Field(description="User id on whose behalf jobs run when a manifest names none.")
    ] = None
    on_error: Annotated[
        Literal["quarantine", "fail"], Field(description="What a broken manifest does to a Dagster code location.")
    ] = "quarantine"
    schedules: Annotated[Literal["running", "stopped"], Field(description="State in which schedules start.")] = (
        "running"
    )
    manifests: Annotated[
        tuple[str, ...], Field(description="Folders or files with manifests, relative to the project.")
    ] = (".",)
    default_workspace: Annotated[str, Field(description="Workspace of resources that name none.")] = "public"
    owners: Annotated[dict[str, str], Field(description="DataOS user id to Dagster owner (e-mail or team:name).")] = {}
    engines: EngineSettings = EngineSettings()
    state: StateSettings = StateSettings()
    secrets: SecretSettings = SecretSettings()
    catalogs: Annotated[dict[str, CatalogSettings], Field(description="Iceberg REST catalogs by depot name.")] = {}
    bundles: Annotated[dict[str, BundleSettings], Field(description="How bundles are deployed, by name.")] = {}
    computes: Annotated[dict[str, ComputeSettings], Field(description="What computes mean here, by name.")] = {}
    depots: Annotated[dict[str, DepotSettings], Field(description="How many jobs use a depot, by its name.")] = {}
    flare: FlareSettings = FlareSettings()
    incremental: Annotated[
        dict[str, BackfillSettings], Field(description="Ranges of incremental jobs for backfills, by workflow/job.")
    ] = {}
    run: RunSettings = RunSettings()
    limits: LimitSettings = LimitSettings()

    @property
    def state_folder(self) -> Path:
        """Return the folder of local state: database, cache, logs. It need not exist."""
        return self.project / STATE_FOLDER

    def make_state_folder(self) -> Path:
        """Create the folder of local state, with a `.gitignore` that keeps it out of commits, and return it.

        Raises:
            SettingsError: It cannot be made.
        """
        folder = self.state_folder
        ignore = folder / ".gitignore"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"{folder} cannot be used: {(error.strerror or '').lower()}",
                hint="local state is kept there: check the owner of the folder and the space on the disk",
            ) from None
        return folder

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the interface of pydantic-settings
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read variables first, then the project's `dataos.yaml`."""
        project = Path(init_settings().get("project", Path()))
        file = InitSettingsSource(settings_cls, init_kwargs=read_settings_file(project / SETTINGS_FILE).data)
        return (init_settings, env_settings, file)


def load_settings(project: Path) -> Settings:
    """Return the settings of the project in a folder; defaults where it has no `dataos.yaml`.

    Raises:
        SettingsError: Settings are unknown or have wrong values: names all of them, each with its place in the file
            or its variable. Or the place of the project's state is taken.
    """
    folder = project.resolve()
    state = folder / STATE_FOLDER
    if state.exists() and not state.is_dir():
        raise SettingsError(f"{state} is no folder", hint="local state is kept there: move that file away")
    if state.exists() and not os.access(state, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise SettingsError(f"this user may not open {state}", hint="local state is kept there: check its owner")
    try:
        settings = Settings(project=folder)
    except ValidationError as error:
        raise settings_error(error, read_settings_file(folder / SETTINGS_FILE), Settings) from None
    except UnreadableVariable as error:
        raise unreadable_variable(error, Settings) from None
    catalogs = settings.catalogs.values()
    register(*(token for token in (settings.engines.connect.token, *(found.token for found in catalogs)) if token))
    register(*(value for catalog in catalogs for value in catalog.secret_properties.values()))
    return settings
