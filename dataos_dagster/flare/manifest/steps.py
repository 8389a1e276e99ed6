"""Steps of a Flare job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from dataos_dagster.manifests.model import AnyCase, ManifestModel, NoEffect, ScalarText


class FunctionCall(ManifestModel):
    """One function of a sequence item; its parameters are checked by the function itself."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[ScalarText, Field(min_length=1, description="Which function.")]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return what is written beside the name."""
        return self.model_extra or {}


class Command(ManifestModel):
    """Keep the rows of a view in memory or on disk, or let them go."""

    name: Annotated[
        Annotated[Literal["persist", "unpersist"], AnyCase()], Field(description="Keep the rows, or let them go.")
    ]
    sequence_name: Annotated[ScalarText, Field(description="The view.")]
    mode: Annotated[ScalarText | None, Field(description="Storage level of Spark.")] = None


class SequenceItem(ManifestModel):
    """A query, and functions on its result, which becomes a view."""

    no_effect: ClassVar[Mapping[str, NoEffect]] = {
        "doc": NoEffect("it is a comment", told=None),
    }

    name: Annotated[ScalarText, Field(min_length=1, description="View name of the result.")]
    sql: Annotated[str | None, Field(description="Spark SQL over the views.")] = None
    sql_file: Annotated[str | None, Field(description="File that holds the SQL.")] = None
    doc: Annotated[ScalarText | None, Field(description="Comment.")] = None
    classpath: Annotated[str | None, Field(description="Class that implements the item.")] = None
    params: Annotated[Mapping[str, Any], Field(description="Parameters of the class.")] = Field(default_factory=dict)
    functions: Annotated[tuple[FunctionCall, ...], Field(description="Applied in order to the result.")] = ()
    commands: tuple[Command, ...] = ()


class Step(ManifestModel):
    """An ordered group of items."""

    sequence: Annotated[tuple[SequenceItem, ...], Field(description="Items, in order.")] = ()
