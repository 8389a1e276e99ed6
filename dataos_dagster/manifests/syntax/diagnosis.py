"""Find why a text is not YAML, by repairing it.

libyaml names the place where it could not go on, which is often some lines behind the mistake. So rules propose causes
near that place, each with a repair; a repair that lets libyaml read further shows that its cause is real, and the next
one is looked for in the repaired text. What no rule explains is told in the parser's place, in plain words.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import LINE_BREAK
from dataos_dagster.manifests.diagnostics import Diagnostic, Fix, Position, Range, Severity
from dataos_dagster.manifests.fixes import line_edits
from dataos_dagster.manifests.masking import MASK, mask
from dataos_dagster.manifests.misread_lines import glued_comments, unindented_sections
from dataos_dagster.manifests.snippets import snippet
from dataos_dagster.manifests.syntax import brackets, indentation, quoting, spacing
from dataos_dagster.manifests.syntax.finding import Broken, Finding, Trouble, find_trouble, finding_of
from dataos_dagster.manifests.syntax.lines import read_lines
from dataos_dagster.manifests.syntax.wording import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import yaml

# The order decides between causes whose repairs let the parser read equally far.
RULES: tuple[Callable[[Broken], Iterator[Finding]], ...] = (
    spacing.tabs,
    spacing.odd_spaces,
    spacing.odd_characters,
    quoting.bold_marks,
    quoting.braces,
    quoting.behind_quotes,
    indentation.lost_line_break,
    indentation.unindented_text,
    spacing.glued_dash,
    spacing.glued_colon,
    spacing.missing_colon,
    indentation.misplaced_item,
    indentation.misplaced_key,
    quoting.reserved_start,
    quoting.colon_in_value,
    brackets.stray_bracket,
    brackets.unclosed_bracket,
    quoting.unclosed_quote,
)
MOST_FINDINGS = 20
# Characters that repairs of one file may let the parser read: bounds the time for a large file to some seconds.
_MOST_READ = 2_000_000
# How many lines may lie between two places that count as equally far.
_NEAR = 2


def diagnose(text: str, error: yaml.MarkedYAMLError, name: str) -> list[Diagnostic]:
    """Return why a text is not YAML: at least one error, in the order of their lines.

    Args:
        text: The whole text of the file.
        error: What libyaml said about it.
        name: Path of the file, as displayed.
    """
    original = LINE_BREAK.split(text)
    texts, trouble = list(original), Trouble.of(error)
    findings: list[Finding] = []
    budget = _MOST_READ
    current: Trouble | None = trouble
    while current is not None and len(findings) < MOST_FINDINGS:
        broken = Broken.read(read_lines(texts), current)
        chosen, after, tried = _choose(broken, texts, budget)
        budget -= tried * len(text)
        if chosen is None:
            findings.append(_in_original(translate(broken), texts, original))
            break
        findings.append(_in_original(chosen, texts, original))
        texts = _edited(texts, chosen.edits)
        current = after
    findings += _other_glued_comments(text, findings)
    findings += map(finding_of, unindented_sections(text))
    findings.sort(key=lambda finding: (finding.line, finding.column))
    hidden = mask(original)
    return [_diagnostic(finding, text, original, hidden[finding.line].visible, name) for finding in findings]


def _choose(broken: Broken, texts: list[str], budget: int) -> tuple[Finding | None, Trouble | None, int]:
    """Return the cause whose repair lets the parser read furthest, what is wrong then, and how many were tried.

    Places that are near each other count as equally far, for a wrong repair can gain some columns by chance: then the
    order of the rules decides.
    """
    candidates: list[tuple[Finding, Trouble]] = []
    tried = 0
    size = sum(map(len, texts))
    for rule in RULES:
        for finding in rule(broken):
            if tried * size > budget:
                break
            tried += 1
            after = find_trouble(_edited(texts, finding.edits))
            if after is None or (finding.certain and after.position > broken.trouble.position):
                return finding, after, tried
            if after.position > broken.trouble.position:
                candidates.append((finding, after))
    furthest = max((after.line for _, after in candidates), default=0)
    for finding, after in candidates:
        if after.line >= furthest - _NEAR:
            return finding, after, tried
    return None, None, tried


def _in_original(finding: Finding, texts: list[str], original: list[str]) -> Finding:
    """Return a finding with the columns of the file, where an earlier repair has moved its line."""
    now, then = texts[finding.line], original[finding.line]
    shift = (len(then) - len(then.lstrip())) - (len(now) - len(now.lstrip()))
    return replace(finding, column=max(finding.column + shift, 0), end_column=max(finding.end_column + shift, 0))


def _edited(texts: list[str], edits: Mapping[int, str]) -> list[str]:
    edited = list(texts)
    for number, text in edits.items():
        edited[number] = text
    return edited


def _other_glued_comments(text: str, findings: list[Finding]) -> Iterator[Finding]:
    """Yield the keys in comments that did not break the file: where one line break was lost, others were too."""
    if not any(finding.code == "key-in-comment" for finding in findings):
        return
    known = {(finding.line, finding.column) for finding in findings}
    for finding in map(finding_of, glued_comments(text)):
        if (finding.line, finding.column) not in known:
            yield finding


def _diagnostic(finding: Finding, text: str, original: list[str], visible: int, name: str) -> Diagnostic:
    width = len(original[finding.line])
    start = Position(finding.line + 1, min(finding.column, width) + 1)
    end = Position(finding.line + 1, max(min(finding.end_column, width), min(finding.column, width)) + 1)
    secret = original[finding.line][visible:]
    return Diagnostic.at(
        Range(start, end),
        finding.code,
        Severity.ERROR,
        name,
        _without(secret, finding.message),
        _without(secret, finding.hint),
        fix=_fix(replace(finding, repair=_without(secret, finding.repair)), original),
        snippet=snippet(text, Range(start, end)),
    )


def _without(secret: str, message: str) -> str:
    """Return a message without the words that its snippet masks."""
    for word in re.findall(r"[^\s:'\"]{3,}", secret):
        message = message.replace(word, MASK)
    return message


def _fix(finding: Finding, original: list[str]) -> Fix | None:
    """Return the repair as edits of the original text."""
    if not finding.repair:
        return None
    by_line = [line_edits(number + 1, original[number], text) for number, text in sorted(finding.edits.items())]
    if not all(by_line):
        return None
    return Fix(finding.repair, tuple(edit for edits in by_line if edits for edit in edits), safe=finding.safe)
