"""The tags around an encrypted part, as text: with its content between them, canonical form sees what was written."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.surroundings import end_tag, start_tag
from adapter.xmlsafe import canonical

ENV, WSU = names.SOAP12, names.WSU
END = "</e:Body></e:Envelope>"


@pytest.mark.parametrize(
    "written",
    [
        f'<e:Envelope xmlns:e="{ENV}" xmlns:u="{WSU}"><e:Body u:Id="body">x{END}',
        f'<Envelope xmlns="{ENV}" xmlns:u="{WSU}"><Body u:Id="body">x</Body></Envelope>',
        f'<e:Envelope xmlns:e="{ENV}" xmlns:u="{WSU}"><e:Body xmlns="d:?a&amp;b" u:Id="b">x{END}',
        # Two prefixes for the namespace of the id, in both orders: only one of them was written.
        f'<e:Envelope xmlns:e="{ENV}" xmlns:a="{WSU}" xmlns:z="{WSU}"><e:Body a:Id="b">x{END}',
        f'<e:Envelope xmlns:e="{ENV}" xmlns:a="{WSU}" xmlns:z="{WSU}"><e:Body z:Id="b">x{END}',
        f'<e:Envelope xmlns:e="{ENV}" xmlns:a="{WSU}"><e:Body xmlns="d:x" xmlns:z="{WSU}" z:Id="b">x{END}',
    ],
)
def test_a_body_put_together_again_is_the_body_that_was_written(written: str) -> None:
    body = etree.fromstring(written)[0]
    again = etree.fromstring(start_tag(body) + b"x" + end_tag(body))
    assert canonical(again) == canonical(body)
    assert again.get(names.WSU_ID) == body.get(names.WSU_ID)
    # What is in scope stays in scope, for the values of what is decrypted into it.
    assert again.nsmap.items() >= {key: uri for key, uri in body.nsmap.items() if uri != WSU}.items()
    assert set(again.nsmap) == set(body.nsmap)
