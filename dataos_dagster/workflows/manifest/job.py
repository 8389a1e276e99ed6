"""`spec` of a job: which stack runs, with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from dataos_dagster.manifests.kinds import STACKS, load_rules
from dataos_dagster.manifests.model import (
    ManifestModel,
    NoEffect,
    OneOrMany,
    ScalarText,
    TextList,
    TextMap,
    scalar_text,
)
from dataos_dagster.secrets.manifest import SecretReference
from dataos_dagster.workflows.manifest.schedule import LogLevel
from dataos_dagster.workflows.manifest.stacks import StackReference, stack_name

SecretReferences = Annotated[tuple[SecretReference, ...], OneOrMany()]
# Environment variables and configuration often hold credentials: out of every repr.
PrivateMap = Annotated[TextMap, Field(repr=False)]


def _model_of(stack: str) -> type[BaseModel] | None:
    path = STACKS.get(stack.lower())
    return load_rules(path).model if path else None


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

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "log_level": NoEffect("logs are those of Dagster and of `dataos run`, whose own settings decide", told="info"),
        "configs": NoEffect("no stack that is run here has configuration of its own"),
        "temp_volume": NoEffect("jobs use the temporary folder of the machine"),
        "persistent_volume": NoEffect("jobs use the folders of the machine"),
        "dataos_volumes": NoEffect("jobs use the folders of the machine"),
        "resources": NoEffect(
            "a job takes what its engine is given: `driver` and `executor` in `stackSpec`", told="info"
        ),
        "run_as_api_key": NoEffect(
            "jobs run as `runAsUser`, the owner of the manifest, or the identity of the project"
        ),
        "tier": NoEffect("it is obsolete", told=None),
        "topology": NoEffect("lineage is found in what jobs read and write", told=None),
    }

    stack: Annotated[StackReference, Field(description="Stack: name[+language][:version].")]
    compute: Annotated[ScalarText, Field(description="Compute resource that runs it.")] = "runnable-default"
    title: ScalarText | None = None
    description: ScalarText | None = None
    tags: TextList = ()
    log_level: Annotated[LogLevel | None, Field(description="Log level of the stack.")] = None
    envs: Annotated[PrivateMap, Field(description="Environment variables.")] = Field(default_factory=dict)
    configs: Annotated[Mapping[str, Any], Field(repr=False, description="Configuration of the stack.")] = Field(
        default_factory=dict
    )
    secrets: Annotated[SecretReferences, Field(description="Secrets; older than dataosSecrets.")] = ()
    dataos_secrets: Annotated[SecretReferences, Field(description="Secrets that are handed over.")] = ()
    dataos_volumes: tuple[VolumeMount, ...] = ()
    temp_volume: ScalarText | None = None
    persistent_volume: VolumeMount | None = None
    resources: ResourceRequirements = ResourceRequirements()
    dry_run: Annotated[bool, Field(description="Deploy without running.")] = False
    run_as_user: Annotated[ScalarText | None, Field(description="User id on whose behalf it runs.")] = None
    run_as_api_key: Annotated[SecretStr | None, BeforeValidator(scalar_text)] = None
    tier: Annotated[ScalarText | None, Field(description="Obsolete, without effect.")] = None
    topology: Annotated[
        tuple[Mapping[str, Any], ...], OneOrMany(), Field(description="Declared lineage; carried, not used.")
    ] = ()
    stack_spec: Annotated[
        BaseModel | Mapping[str, Any] | None, Field(description="Section of the stack.", repr=False)
    ] = None

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe `stackSpec` by the stack where it is one that is run."""
        described = handler.resolve_ref_schema(handler(schema))
        described["properties"]["stackSpec"] = {"type": "object", "description": "Section of the stack."}
        described["allOf"] = [
            {
                "if": {"properties": {"stack": {"pattern": f"^{name}([+:].*)?$"}}, "required": ["stack"]},
                "then": {"properties": {"stackSpec": handler(load_rules(path).model.__pydantic_core_schema__)}},
            }
            for name, path in STACKS.items()
        ]
        return described

    @field_validator("stack_spec", mode="plain")
    @classmethod
    def _typed_by_stack(cls, value: Any, info: ValidationInfo) -> Any:
        """Validate the section with the model of its stack; stacks that are not run keep the mapping."""
        stack = info.data.get("stack")
        if value is None or isinstance(value, BaseModel) or stack is None:
            return value
        model = _model_of(stack.name)
        if model is not None:
            return model.model_validate(value, by_alias=True, by_name=False)
        if not isinstance(value, Mapping):
            raise PydanticCustomError("dict_type", "expected a mapping")
        return value

    @classmethod
    def section_model(cls, key: str, data: Any) -> type[BaseModel] | None:
        """Return the model of `stackSpec`, which the stack decides."""
        stack = stack_name(data.get("stack")) if key == "stackSpec" and isinstance(data, Mapping) else None
        return _model_of(stack) if stack else None

    @property
    def secret_references(self) -> tuple[SecretReference, ...]:
        """Return all secrets that are handed over, in either spelling."""
        return (*self.dataos_secrets, *self.secrets)


class JobSpec(Runnable):
    """`dag[].spec`."""
