"""A message against the schemas of its service when it has attachments: base64 stands elsewhere (XOP 1.0)."""

from __future__ import annotations

from lxml import etree

from adapter.attachments import Attachment
from adapter.envelope.carried import Content
from adapter.envelope.description_model import Operation, ServiceDescription
from adapter.envelope.names import XOP_INCLUDE
from adapter.envelope.optimising import base64_elements
from adapter.envelope.schema import check_content
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.xop import find_includes, with_placeholders
from adapter.errors import SchemaInvalid


def check_with_attachments(
    description: ServiceDescription,
    payload: etree._Element,
    content: Content,
    operation: Operation,
    attachments: tuple[Attachment, ...],
    *,
    in_output: bool,
) -> None:
    """`schema.check_content` of a message with attachments; the schema sees base64 where an xop:Include stands.

    payload: the element that everything of the content stands in, an envelope or what an envelope carries.

    An xop:Include that names no part is refused even where the schema lets anything stand: a system that knows MTOM
    might fetch what it names. So is one that stands for anything but xs:base64Binary (XOP 1.0, 2): a system that
    knows no MTOM would take the base64 of the part for the text that was meant. Raises SchemaInvalid.
    """
    if not attachments and next(payload.iter(XOP_INCLUDE), None) is None:
        check_content(description, content, operation, in_output=in_output)
        return
    includes = find_includes(payload, attachments, SchemaInvalid)
    with with_placeholders(includes, attachments):
        check_content(description, content, operation, in_output=in_output)
    if includes and operation.type_checked:
        holders = set(base64_elements(content, schema_model(description)))
        if any(include.parent not in holders for include in includes):
            raise SchemaInvalid("an xop:Include where the schema has no base64Binary")
