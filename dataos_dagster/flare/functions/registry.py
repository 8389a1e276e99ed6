"""Which functions there are, by the word that manifests use, and reading one from a manifest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dataos_dagster.flare.functions.columns import ChangeColumnCase, CleanseColumnNames, Drop, Rename, RenameAll
from dataos_dagster.flare.functions.reshaping import Unfurl, Unpivot
from dataos_dagster.flare.functions.types import SetType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.flare.functions.function import Function

FUNCTIONS: Mapping[str, type[Function]] = {
    function.name: function
    for function in (
        CleanseColumnNames,
        ChangeColumnCase,
        Drop,
        Rename,
        RenameAll,
        SetType,
        Unfurl,
        Unpivot,
    )
}

# Of the Flare reference, read and not yet run.
PLANNED: frozenset[str] = frozenset(
    {
        "add_column", "any_date", "any_timestamp", "change_case", "columns_replace", "copy", "cut_character", "decode",
        "diff_date", "drop_duplicates", "encode", "epoch_to_timestamp", "fill_null_or_empty", "find_and_replace",
        "flatten", "flatten_outer", "format_date", "format_unix_date", "generate_uuid", "hash", "increment_variable",
        "mask_number", "merge", "parse_as_json", "parse_html", "pivot", "select", "set_column", "set_variable",
        "snake_case", "split_email", "split_url", "swap", "trim",
    }
)  # fmt: skip


class ParameterError(ValueError):
    """A function's name or parameters are wrong.

    Attributes:
        path: Way to the wrong value inside the function's mapping, such as `("columns", "price")`.
        hint: What to write instead.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = (), hint: str = "") -> None:
        self.path = path
        self.hint = hint
        super().__init__(message)


def is_planned(name: str) -> bool:
    """Return whether a function is documented and not yet run."""
    return name in PLANNED


def read_function(name: str, parameters: Mapping[str, Any]) -> Function:
    """Return the function that one entry of `functions` describes.

    Raises:
        ParameterError: Its name is unknown, or a parameter is missing, unknown or of the wrong type.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise ParameterError(
            f"there is no function {name!r}",
            ("name",),
            _did_you_mean(name, [*FUNCTIONS, *PLANNED]) or f"functions: {', '.join(sorted(FUNCTIONS))}",
        )
    try:
        return function.model_validate(parameters, by_name=False, by_alias=True)
    except ValidationError as invalid:
        raise _explained(function, invalid) from None


def _explained(function: type[Function], invalid: ValidationError) -> ParameterError:
    """Return the first of pydantic's findings in the words of the manifest."""
    findings = invalid.errors(include_url=False, include_context=False)
    # A misspelt parameter is unknown and missing at once: its spelling is what to speak of.
    finding = next((each for each in findings if each["type"] == "extra_forbidden"), findings[0])
    path = tuple(finding["loc"])
    known = [field.alias or name for name, field in function.model_fields.items()]
    documented = ", ".join(known) or "none"
    if finding["type"] == "extra_forbidden":
        message = f"{function.name} has no parameter {str(path[-1])!r}"
        return ParameterError(message, path, _did_you_mean(str(path[-1]), known) or f"parameters: {documented}")
    if finding["type"] == "missing":
        return ParameterError(f"{function.name} needs the parameter {str(path[-1])!r}", (), f"parameters: {documented}")
    reason = finding["msg"].removeprefix("Value error, ")
    where = f" {'.'.join(str(step) for step in path)}" if path else ""
    return ParameterError(f"{function.name}{where}: {reason[:1].lower()}{reason[1:]}", path)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
