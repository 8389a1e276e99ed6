"""`spec` of a job: which stack runs, with what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from dataos_dagster.manifests.kinds import STACKS, load_rules
from dataos_dagster.manifests.model import ManifestModel, ScalarText, TextList, TextMap, one_or_many, scalar_text
from dataos_dagster.secrets.manifest import SecretReference
from dataos_dagster.workflows.manifest.schedule import LogLevel

_STACK = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\+(?P<language>[A-Za-z0-9_.-]+))?(?::(?P<version>[A-Za-z0-9_.-]+))?")

SecretReferences = Annotated[tuple[SecretReference, ...], BeforeValidator(one_or_many)]
# Environment variables and configuration often hold credentials: out of every repr.
PrivateMap = Annotated[TextMap, Field(repr=False)]


class StackReference(ManifestModel):
    """`stack: name[+language][:version]`; without a version the newest is meant."""

    name: ScalarText
    language: str | None = None
    version: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        found = _STACK.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            raise ValueError("expected a stack as `name`, `name:version` or `name+language:version`")
        return found.groupdict()

    def __str__(self) -> str:
        language = f"+{self.language}" if self.language else ""
        return f"{self.name}{language}{f':{self.version}' if self.version else ''}"


class Quantities(ManifestModel):
    """Kubernetes quantities."""

    cpu: Annotated[ScalarText | None, Field(description="Cores, such as 500m or 2.")] = None
    memory: Annotated[ScalarText | None, Field(description="Bytes, such as 1Gi.")] = None


class ResourceRequirements(ManifestModel):
    """What a container asks for and may use at most."""

    requests: Quantities = Quantities()
    limits: Quantities = Quantities()


class VolumeMount(ManifestModel):
    """A volume and where a container sees it."""

    name: ScalarText
    directory: str | None = None
    read_only: bool = False
    sub_path: str | None = None


class Runnable(ManifestModel):
    """What jobs, services and workers have in common."""

    stack: Annotated[StackReference, Field(description="Stack: name[+language][:version].")]
    compute: Annotated[ScalarText, Field(description="Compute resource that runs it.")] = "runnable-default"
    title: ScalarText | None = None
    description: ScalarText | None = None
    tags: TextList = ()
    log_level: Annotated[LogLevel | None, Field(description="Log level of the stack.")] = None
    envs: Annotated[PrivateMap, Field(description="Environment variables.")] = {}
    configs: Annotated[Mapping[str, Any], Field(repr=False, description="Configuration of the stack.")] = {}
    secrets: Annotated[SecretReferences, Field(description="Secrets; older than dataosSecrets.")] = ()
    dataos_secrets: Annotated[SecretReferences, Field(description="Secrets that are handed over.")] = ()
    dataos_volumes: tuple[VolumeMount, ...] = ()
    temp_volume: ScalarText | None = None
    persistent_volume: VolumeMount | None = None
    resources: ResourceRequirements = ResourceRequirements()
    dry_run: Annotated[bool, Field(description="Deploy without running.")] = False
    run_as_user: Annotated[ScalarText | None, Field(description="User id on whose behalf it runs.")] = None
    run_as_api_key: Annotated[SecretStr | None, BeforeValidator(scalar_text)] = None
    topology: Annotated[tuple[Mapping[str, Any], ...], Field(description="Declared lineage; carried, not used.")] = ()
    stack_spec: Annotated[
        BaseModel | Mapping[str, Any] | None, Field(description="Section of the stack.", repr=False)
    ] = None

    @field_validator("stack_spec", mode="plain")
    @classmethod
    def _typed_by_stack(cls, value: Any, info: ValidationInfo) -> Any:
        """Validate the section with the model of its stack; stacks that are not run keep the mapping."""
        stack = info.data.get("stack")
        if isinstance(value, BaseModel) or stack is None:
            return value
        path = STACKS.get(stack.name.lower())
        if path is not None:
            return load_rules(path).model.model_validate(value, by_alias=True, by_name=False)
        if not isinstance(value, Mapping):
            raise ValueError("expected a mapping")
        return value

    @property
    def secret_references(self) -> tuple[SecretReference, ...]:
        """Return all secrets that are handed over, in either spelling."""
        return (*self.dataos_secrets, *self.secrets)


class JobSpec(Runnable):
    """`dag[].spec`."""
