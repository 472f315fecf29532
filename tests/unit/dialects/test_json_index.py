"""The list of services in JSON."""

from __future__ import annotations

from adapter.dialects.json_index import ListedService, services_document, services_page

SERVICES = (
    ListedService(name="UZ/GOV/1/s/A/v1", title="First", address="http://x/json/UZ/GOV/1/s/A/v1"),
    ListedService(name="UZ/GOV/1/s/B/v1", title="<script>", address="http://x/json/UZ/GOV/1/s/B/v1"),
)


def test_each_service_has_its_addresses() -> None:
    document = services_document(SERVICES)
    assert document == {
        "services": [
            {"service": one.name, "title": one.title, "page": one.address, "openapi": f"{one.address}/openapi.json"}
            for one in SERVICES
        ]
    }


def test_the_page_links_to_each_and_escapes_what_others_wrote() -> None:
    page = services_page(SERVICES).decode()
    for one in SERVICES:
        assert f'<a href="{one.address}">' in page
        assert f'<a href="{one.address}/openapi.json">' in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_service_without_a_title_is_named() -> None:
    page = services_page([ListedService(name="UZ/GOV/1/s/A/v1", title="", address="http://x/")]).decode()
    assert '<a href="http://x/">UZ/GOV/1/s/A/v1</a>' in page
