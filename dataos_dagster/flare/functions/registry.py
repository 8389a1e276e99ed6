"""Which functions there are, by the word that manifests use, and reading one from a manifest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dataos_dagster.flare.functions import (
    columns,
    constants,
    dates,
    encodings,
    parsing,
    reshaping,
    selection,
    text,
)
from dataos_dagster.flare.functions.json_values import ParseAsJson
from dataos_dagster.flare.functions.pivoting import Pivot
from dataos_dagster.flare.functions.types import SetType
from dataos_dagster.manifests.spelling import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from dataos_dagster.flare.functions.function import Function

# By what they are for, in the order in which the documentation lists them.
FAMILIES: Mapping[str, tuple[type[Function], ...]] = {
    "Names of columns": (
        columns.CleanseColumnNames,
        columns.SnakeCase,
        columns.ChangeColumnCase,
        columns.ColumnsReplace,
        columns.Rename,
        columns.RenameAll,
        columns.Swap,
    ),
    "Which columns there are": (selection.Select, selection.Drop, selection.Copy),
    "Constants and expressions": (
        constants.AddColumn,
        constants.SetColumn,
        constants.SetVariable,
        constants.IncrementVariable,
        constants.GenerateUuid,
        constants.FillNullOrEmpty,
    ),
    "Types": (SetType,),
    "Text": (
        text.ChangeCase,
        text.Trim,
        text.CutCharacter,
        text.FindAndReplace,
        text.MaskNumber,
        text.Merge,
    ),
    "Dates and times": (
        dates.AnyDate,
        dates.AnyTimestamp,
        dates.DiffDate,
        dates.EpochToTimestamp,
        dates.FormatDate,
        dates.FormatUnixDate,
    ),
    "Encodings": (encodings.Encode, encodings.Decode, encodings.Hash),
    "Taking values apart": (
        parsing.SplitEmail,
        parsing.SplitUrl,
        parsing.ParseHtml,
        ParseAsJson,
    ),
    "Rows": (
        reshaping.Unfurl,
        reshaping.Flatten,
        reshaping.FlattenOuter,
        reshaping.DropDuplicates,
        Pivot,
        reshaping.Unpivot,
    ),
}
FUNCTIONS: Mapping[str, type[Function]] = {
    function.name: function for family in FAMILIES.values() for function in family
}


class ParameterError(ValueError):
    """A function's name or parameters are wrong.

    Attributes:
        path: Way to the wrong value inside the function's mapping, such as `("columns", "price")`.
        hint: What to write instead.
        at_key: The last step of the path is at fault itself, and not its value.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = (), hint: str = "", *, at_key: bool = False) -> None:
        self.path = path
        self.hint = hint
        self.at_key = at_key
        super().__init__(message)


def read_function(name: str, parameters: Mapping[str, Any]) -> Function:
    """Return the function that one entry of `functions` describes.

    Raises:
        ParameterError: Its name is unknown, or a parameter is missing, unknown or of the wrong type; the first finding.
    """
    function = FUNCTIONS.get(name_of(name))
    if function is None:
        raise _unknown(name)
    try:
        return _validated(function, parameters)
    except ValidationError as invalid:
        raise next(_explained(function, invalid)) from None


def name_of(word: str) -> str:
    """Return the name of the function that a word means in any style, such as `RenameAll`; else the word itself."""
    return next((name for name in FUNCTIONS if fold(name) == fold(word)), word) if word not in FUNCTIONS else word


def parameter_of(function: type[Function], key: str) -> str:
    """Return the parameter that a key means in any style, such as `as_column`; else the key itself."""
    key = function.synonyms.get(key, key)
    known = (field.alias or name for name, field in function.model_fields.items())
    return next((alias for alias in known if fold(alias) == fold(key)), key)


def spellings_in(name: str, parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the words of one entry of `functions` that are spelt in another style, each with its usual spelling."""
    function = FUNCTIONS.get(name_of(name))
    if function is None:
        return ()
    usual = {name: name_of(name)} | {key: parameter_of(function, key) for key in parameters}
    return tuple((word, other) for word, other in usual.items() if word != other and word not in function.synonyms)


def findings_in(name: str, parameters: Mapping[str, Any]) -> tuple[ParameterError, ...]:
    """Return everything that is wrong with one entry of `functions`."""
    function = FUNCTIONS.get(name_of(name))
    if function is None:
        return (_unknown(name),)
    try:
        _validated(function, parameters)
    except ValidationError as invalid:
        return tuple(_explained(function, invalid))
    return ()


def _unknown(name: str) -> ParameterError:
    hint = _did_you_mean(name, FUNCTIONS) or f"functions: {', '.join(sorted(FUNCTIONS))}"
    return ParameterError(f"there is no function {name!r}", ("name",), hint)


def _validated(function: type[Function], parameters: Mapping[str, Any]) -> Function:
    known: dict[str, Any] = {}
    # What is spelt as documented first: another spelling of the same beside it is one too many, and told as unknown.
    for key in sorted(parameters, key=lambda key: parameter_of(function, key) != key):
        name = parameter_of(function, key)
        known[key if name in known else name] = parameters[key]
    # An optional parameter that is left empty is not given.
    optional = {field.alias or name for name, field in function.model_fields.items() if not field.is_required()}
    given = {key: value for key, value in known.items() if value is not None or key not in optional}
    return function.model_validate(given, by_name=False, by_alias=True)


def _explained(function: type[Function], invalid: ValidationError) -> Iterator[ParameterError]:
    """Yield pydantic's findings in the words of the manifest."""
    findings = invalid.errors(include_url=False, include_context=False)
    # A misspelt parameter is unknown and missing at once: its spelling is what to speak of.
    unknown = [each for each in findings if each["type"] == "extra_forbidden"]
    missing = [each for each in findings if each["type"] == "missing"]
    others = [each for each in findings if each not in unknown and each not in missing]
    known = [field.alias or name for name, field in function.model_fields.items()]
    meant = set()
    for finding in unknown:
        close = difflib.get_close_matches(str(finding["loc"][-1]), known, n=1)
        meant.update(close)
        yield _told(function, finding, known)
    for finding in missing:
        if finding["loc"][-1] not in meant:
            yield _told(function, finding, known)
    for finding in others:
        yield _told(function, finding, known)


def _told(function: type[Function], finding: ErrorDetails, known: list[str]) -> ParameterError:
    path = tuple(finding["loc"])
    documented = ", ".join(known) or "none"
    if finding["type"] == "extra_forbidden":
        message = f"{function.name} has no parameter {str(path[-1])!r}"
        hint = _did_you_mean(str(path[-1]), known) or f"parameters: {documented}"
        return ParameterError(message, path, hint, at_key=True)
    if finding["type"] == "missing":
        return ParameterError(f"{function.name} needs the parameter {str(path[-1])!r}", (), f"parameters: {documented}")
    reason = finding["msg"].removeprefix("Value error, ")
    where = f" {'.'.join(str(step) for step in path)}" if path else ""
    return ParameterError(f"{function.name}{where}: {reason[:1].lower()}{reason[1:]}", path)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
