"""The door to spyne leaves no trace in this process but the finder."""

import importlib.util
import logging
import subprocess
import sys

from tests.conftest import ROOT


def test_imports_in_a_fresh_process_without_a_warning():
    program = (
        "import adapter.backends.spyne_compat, sys; print('cgi' in sys.modules and not sys.modules['cgi'].__spec__)"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, b"False", b"")


def test_finder_answers_for_its_names_only():
    import adapter.backends.spyne_compat  # noqa: F401

    assert importlib.util.find_spec("spyne.util.six.moves.urllib") is not None
    assert importlib.util.find_spec("spyne.util.six.nothing") is None
    assert importlib.util.find_spec("no_such_module_at_all") is None


def test_header_parsing_that_is_lent():
    from adapter.backends.spyne_compat import _parse_header

    assert _parse_header('text/xml; charset="utf-8"; a=b') == ("text/xml", {"charset": "utf-8", "a": "b"})
    assert _parse_header("") == ("", {})


def test_spyne_logs_nothing():
    """It would log requests that it refuses, and exceptions, values included."""
    import adapter.backends.spyne_compat  # noqa: F401

    assert not logging.getLogger("spyne.application.server").isEnabledFor(logging.CRITICAL)
