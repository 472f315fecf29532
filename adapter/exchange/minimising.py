"""An answer as its rule lets it out: what is not named is taken out, and what is left is valid again."""

from __future__ import annotations

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.envelope.carried import ACCEPTED, PARTS, Content, unwrap, wrap
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.minimise import Cut, cut_root
from adapter.envelope.multipart import content_id_of
from adapter.envelope.projection import Projection, projection
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.errors import AdapterError, AnswerNotReleasable, Blame, SchemaInvalid
from adapter.released_fields import ReleasedFields
from adapter.stages import AuthorizedRequest, RecordedRequest, ReleasedAnswer, ValidAnswer


def minimise(answer: ValidAnswer, description: ServiceDescription, request: AuthorizedRequest) -> ReleasedAnswer:
    """The answer with the fields that the rule names; the whole of it when the rule does not limit it.

    Raises AnswerNotReleasable when what is left would not be valid, and for a SOAP-encoded answer, in which nobody can
    say what a field is.
    """
    fields = request.fields
    if fields is None or answer.payload.tag == ACCEPTED:
        return ReleasedAnswer(
            payload=answer.payload, names_in_values=answer.names_in_values, attachments=answer.attachments
        )
    operation = description.operation(request.valid.operation, request.valid.input_element)
    return cut_down(answer, description, operation, fields)


def cut_down(
    answer: ValidAnswer, description: ServiceDescription, operation: Operation, fields: ReleasedFields
) -> ReleasedAnswer:
    """A valid answer of this operation with these fields. Raises AnswerNotReleasable."""
    if operation.is_encoded or not operation.type_checked:
        raise AnswerNotReleasable("the answer is not described by a schema, so no field of it can be named")
    cut = Cut()
    payload = _payload(answer.payload, projection(description, fields), cut)
    cut.check_references()
    attachments = _named_by(cut, answer.attachments)
    try:
        said = () if attachments is None else attachments.said
        check_with_attachments(description, payload, unwrap(payload), operation, said, in_output=True)
    except SchemaInvalid as invalid:
        rules = ", ".join(f"{problem.element}: {problem.rule}" for problem in invalid.problems[:5])
        raise AnswerNotReleasable(f"what the rule lets out is not valid ({rules or invalid.reason})") from None
    return ReleasedAnswer(
        payload=payload,
        names_in_values=answer.names_in_values,
        attachments=attachments,
        released=tuple(sorted(cut.released)),
        replaced=tuple(sorted(cut.replaced.items())),
    )


def _payload(payload: etree._Element, tree: Projection, cut: Cut) -> etree._Element:
    if payload.tag != PARTS:
        return cut_root(payload, tree, cut)
    content = unwrap(payload)
    headers = tuple(cut_root(header, tree, cut) for header in content.headers if header.tag in tree.roots)
    return wrap(Content(body=cut_root(content.body, tree, cut), headers=headers))


def _named_by(cut: Cut, attachments: HeldAttachments | None) -> HeldAttachments | None:
    """Those attachments that a released field refers to; what nothing refers to was not named."""
    if attachments is None:
        return None
    known = frozenset(said.content_id for said in attachments.said)
    named = {content_id_of(href, known) for href in cut.hrefs}
    held = tuple(one for one in attachments.held if one.said.content_id in named)
    return HeldAttachments(content_key=attachments.content_key, held=held) if held else None


def of_a_system(error: AdapterError, request: RecordedRequest | None) -> AdapterError:
    """What may be said of a failure: under a rule that names fields, not what the information system said of it.

    Its words, and the names in an invalid answer, are no field that the rule lets out.
    """
    if request is None or request.authorized.fields is None or error.blame is not Blame.PROVIDER_SYSTEM:
        return error
    return type(error)(error.reason, retry_after_s=error.retry_after_s)
