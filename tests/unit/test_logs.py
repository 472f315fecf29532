"""Nothing that could be personal data, a key or a secret gets into the operational log (promise 9)."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from adapter.logs import configure_logs


@pytest.fixture(autouse=True)
def restored() -> object:
    """Leave structlog and the root logger as they were."""
    root = logging.getLogger()
    handlers, last_resort = list(root.handlers), logging.lastResort
    yield None
    structlog.reset_defaults()
    root.handlers[:] = handlers
    logging.lastResort = last_resort


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_only_known_keys_get_through(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="info", form="json")
    structlog.get_logger().warning("refused", code="NoLegalBasis", pinfl="30101900000012", body="<GetPerson/>")
    (line,) = logged(capsys)
    assert line["code"] == "NoLegalBasis"
    assert line["dropped_keys"] == "body,pinfl"
    assert "30101900000012" not in str(line)
    assert "GetPerson" not in str(line)


def test_values_are_short_texts_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="info", form="json")
    structlog.get_logger().info("x", because="a" * 5000, record=7, service={"nested": "value"})
    (line,) = logged(capsys)
    assert len(str(line["because"])) <= 200
    assert line["record"] == 7
    assert isinstance(line["service"], str)


def test_a_library_is_heard_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="info", form="json")
    try:
        int("30101900000012x")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("request with %s failed", "30101900000012")
    (line,) = logged(capsys)
    assert line["logger"] == "aiohttp.server"
    assert line["error"] == "ValueError"
    assert "30101900000012" not in str(line)


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="warning", form="json")
    structlog.get_logger().info("quiet")
    structlog.get_logger().error("loud")
    assert [line["event"] for line in logged(capsys)] == ["loud"]


def test_line_breaks_cannot_make_a_second_entry(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="info", form="json")
    structlog.get_logger().info("x", because='one\n{"event": "forged"}')
    assert len(logged(capsys)) == 1
