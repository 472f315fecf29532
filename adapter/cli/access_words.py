"""Rules and decisions of access in words, and as JSON: what `adapter access` shows of them."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from adapter.cli.access_fields import ServiceFields, taken_out, value_of_rule, words_of_rule
from adapter.cli.output import JsonValue, bad, doubtful, good, when
from adapter.policy.decision import Decision
from adapter.policy.rules import AccessRule


def decision_words(
    decision: Decision, allowed_by: AccessRule | None, lets_out: ServiceFields | None
) -> list[RenderableType]:
    """Which rule allows a request, under which conditions and what it lets out; or what each rule lacks."""
    words: list[RenderableType] = []
    for finding in decision.findings:
        words.append(Text.assemble(f"Rule {finding.rule_id} ", doubtful("does not fit:")))
        words += [Text(f"  - it {unmet}") for unmet in finding.unmet]
    if allowed_by is not None:
        words.append(Text.assemble(good("Allowed"), f" by rule {decision.rule_id} (policy {decision.policy_version})"))
        words += [Text(f"  - {condition}") for condition in conditions(allowed_by)]
        if allowed_by.emergency_officials is not None:
            words.append(Text("  - it opens a review, here and at the consumer's"))
        words += words_of_rule(allowed_by, lets_out)
    elif decision.refusal is not None:
        words.append(Text.assemble(bad(f"Refused: {decision.refusal.code}"), f" ({decision.refusal.reason})"))
    return words


def decision_value(decision: Decision, allowed_by: AccessRule | None, lets_out: ServiceFields | None) -> JsonValue:
    """The same for a script."""
    refusal = decision.refusal
    return {
        "allowed": decision.rule_id is not None,
        "opens_review": allowed_by is not None and allowed_by.emergency_officials is not None,
        "rule": decision.rule_id,
        "policy": decision.policy_version,
        "refusal": None if refusal is None else {"code": refusal.code, "reason": refusal.reason, "text": refusal.text},
        "fields": None if allowed_by is None else value_of_rule(allowed_by),
        "taken_out": [*taken_out(decision.fields, lets_out)] if decision.fields is not None else [],
        "findings": [{"rule": finding.rule_id, "unmet": list(finding.unmet)} for finding in decision.findings],
    }


def conditions(rule: AccessRule) -> list[str]:
    """The conditions of a rule in words; none for a rule that only names consumer and service."""
    named = (
        ("operation", rule.operations),
        ("purpose", rule.purposes),
        ("legal basis", rule.legal_basis_kinds),
        ("regulation", rule.regulations),
    )
    words = [f"{what} {' or '.join(sorted(values))}" for what, values in named if values is not None]
    if rule.emergency_officials is not None:
        words.insert(0, f"emergency, asked by {' or '.join(sorted(rule.emergency_officials))}")
    if rule.valid_from is not None:
        words.append(f"from {when(rule.valid_from)}")
    if rule.valid_until is not None:
        words.append(f"until {when(rule.valid_until)}")
    return words


def fields_in_short(rule: AccessRule) -> str:
    """How many fields a rule lets out."""
    if rule.fields is None:
        return "all" if rule.all_fields else "all (not said)"
    replaced = len(rule.fields.replaced)
    return str(len(rule.fields.released)) + (f", {replaced} replaced" if replaced else "")


def rule_value(rule: AccessRule) -> JsonValue:
    """A rule for a script; None means any."""
    return {
        "id": rule.id,
        "consumer": rule.consumer,
        "service": str(rule.service),
        "operations": _json_list(rule.operations),
        "purposes": _json_list(rule.purposes),
        "legal_basis_kinds": _json_list(rule.legal_basis_kinds),
        "regulations": _json_list(rule.regulations),
        "valid_from": None if rule.valid_from is None else when(rule.valid_from),
        "valid_until": None if rule.valid_until is None else when(rule.valid_until),
        "granted_by": rule.granted_by,
        "note": rule.note,
        "fields": value_of_rule(rule),
        "emergency_officials": _json_list(rule.emergency_officials),
    }


def _json_list(values: frozenset[str] | None) -> JsonValue:
    return None if values is None else sorted(values)
