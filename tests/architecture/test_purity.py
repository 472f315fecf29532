"""The core does no input or output and does not look at the clock; dangerous tools are used in one place each."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import Source, calls, imports, nodes, sources

CORE = (
    "adapter/exchange/",
    "adapter/evidence/",
    "adapter/audit/",
    "adapter/policy/",
    "adapter/directory/",
    "adapter/crypto/",
    "adapter/envelope/",
    "adapter/ports.py",
    "adapter/stages.py",
    "adapter/attachments.py",
    "adapter/xmlsafe.py",
    "adapter/identifiers.py",
    "adapter/errors.py",
)
FORBIDDEN = {
    "aiohttp",
    "alembic",
    "asyncio",
    "concurrent",
    "http.client",
    "http.server",
    "logging",
    "multiprocessing",
    "requests",
    "shutil",
    "signal",
    "socket",
    "spyne",
    "sqlalchemy",
    "sqlite3",
    "ssl",
    "structlog",
    "subprocess",
    "tempfile",
    "time",
    "urllib.request",
    "uvloop",
    "zeep",
}
ALLOWED = {
    # What may be in a line is decided by adapter/logs.py; the core says that something happened, with an incident id.
    "adapter/exchange/": {"structlog"},
}
"""Exceptions to FORBIDDEN, each with its reason."""

FILE_CALLS = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "mkdir", "unlink", "is_file", "exists"}
FILES_ALLOWED = {
    "adapter/envelope/texts.py": "the packaged translations, read once at import",
    "adapter/envelope/description.py": "a service's description folder, read once at start",
}
CLOCK_CALLS = {"now", "utcnow", "today", "monotonic", "perf_counter", "time"}

core = [source for source in sources("adapter/") if source.path.startswith(CORE)]
IN_THE_CORE = pytest.mark.parametrize("source", core, ids=lambda source: source.path)


@IN_THE_CORE
def test_imports_nothing_that_does_io(source: Source) -> None:
    allowed = {name for folder, names in ALLOWED.items() if source.path.startswith(folder) for name in names}
    for name in imports(source):
        parts = name.split(".")
        used = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        assert not used & FORBIDDEN - allowed, f"{source.path} imports {name}"


@IN_THE_CORE
def test_of_the_operating_system_only_random_octets(source: Source) -> None:
    used = {
        node.attr
        for node in nodes(source)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert used <= {"urandom"}
    assert not [name for name in imports(source) if name.startswith("os.")]


@IN_THE_CORE
def test_opens_no_file(source: Source) -> None:
    if source.path in FILES_ALLOWED:
        return
    for node in nodes(source):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id="open") | ast.Attribute(value=ast.Name(id="Path"), attr="open"):
                    pytest.fail(f"{source.path}:{node.lineno} opens a file")
                case ast.Attribute(attr=name) if name in FILE_CALLS - {"open"}:
                    pytest.fail(f"{source.path}:{node.lineno} {name}")


@IN_THE_CORE
def test_the_clock_is_an_argument(source: Source) -> None:
    for node in nodes(source):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if name in CLOCK_CALLS:
                assert owner not in ("datetime", "date", "time"), f"{source.path}:{node.lineno} reads the clock"


XML_READERS = {
    "adapter/xmlsafe.py": "the one parser of what comes from outside",
    "adapter/envelope/schema_compile.py": "compiles schemas out of documents that xmlsafe parsed",
    "adapter/envelope/lint_desk.py": "compiles our own packaged schemas",
    "adapter/envelope/lint_positions.py": "looks for columns in octets that xmlsafe has accepted",
    "adapter/envelope/wsdl_ports.py": "copies an element of a description that xmlsafe parsed",
    "adapter/envelope/wsdl_publish.py": "reads one attribute of a description that xmlsafe parsed",
    "adapter/directory/document.py": "compiles our own packaged schema",
    "adapter/directory/rendering.py": "makes an empty root element of our own",
}
"""Files other than the one parser that read XML of our own making, each with the reason."""
READERS = {"fromstring", "XML", "HTML", "XMLParser", "HTMLParser", "iterparse", "XMLPullParser", "ParserCreate"}


@pytest.mark.parametrize("source", sources("adapter/"), ids=lambda source: source.path)
def test_only_xmlsafe_parses(source: Source) -> None:
    """Promises 2 and 8: one safe parser, with limits, for everything."""
    if source.path in XML_READERS:
        return
    for name, call in calls(source):
        is_parse = name == "parse" and isinstance(call.func, ast.Attribute) and _owner(call.func) == "etree"
        assert name not in READERS, f"{source.path}:{call.lineno} {name}"
        assert not is_parse, f"{source.path}:{call.lineno} etree.parse"


def _owner(attribute: ast.Attribute) -> str:
    return attribute.value.id if isinstance(attribute.value, ast.Name) else ""


@pytest.mark.parametrize("source", sources("adapter/"), ids=lambda source: source.path)
def test_no_code_out_of_data(source: Source) -> None:
    """Nothing is evaluated, unpickled or given to a shell; XSLT, which can read files, is not used at all."""
    for name, call in calls(source):
        assert name not in {"eval", "exec", "XSLT", "system", "popen"}, f"{source.path}:{call.lineno} {name}"
        shell = [word for word in call.keywords if word.arg == "shell"]
        assert not shell, f"{source.path}:{call.lineno} shell="
    assert not {"pickle", "marshal", "shelve", "yaml"} & {name.split(".")[0] for name in imports(source)}
