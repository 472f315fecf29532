"""The core does no input or output and does not look at the clock; dangerous tools are used in one place each."""

from __future__ import annotations

import ast

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


def test_imports_nothing_that_does_io() -> None:
    found = [
        f"{source.path} imports {name}"
        for source in core
        for name in imports(source)
        if _with_parents(name) & FORBIDDEN - _allowed_in(source)
    ]
    assert found == []


def _with_parents(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


def _allowed_in(source: Source) -> set[str]:
    return {name for folder, names in ALLOWED.items() if source.path.startswith(folder) for name in names}


def test_of_the_operating_system_only_random_octets() -> None:
    used = [
        f"{source.path}:{node.lineno} os.{node.attr}"
        for source in core
        for node in nodes(source)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
    assert [one for one in used if not one.endswith(" os.urandom")] == []
    assert [source.path for source in core for name in imports(source) if name.startswith("os.")] == []


def test_opens_no_file() -> None:
    found = [
        f"{source.path}:{call.lineno} opens a file"
        for source in core
        if source.path not in FILES_ALLOWED
        for _, call in calls(source)
        if _is_about_a_file(call)
    ]
    assert found == []


def _is_about_a_file(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id="open") | ast.Attribute(value=ast.Name(id="Path"), attr="open"):
            return True
        case ast.Attribute(attr=name):
            return name in FILE_CALLS - {"open"}
    return False


def test_the_clock_is_an_argument() -> None:
    found = [f"{source.path}:{call.lineno}" for source in core for _, call in calls(source) if _reads_the_clock(call)]
    assert found == []


def _reads_the_clock(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return name in CLOCK_CALLS and owner in ("datetime", "date", "time")
    return False


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


def test_only_xmlsafe_parses() -> None:
    """Promises 2 and 8: one safe parser, with limits, for everything."""
    found = [
        f"{source.path}:{call.lineno} {name}"
        for source in sources("adapter/")
        if source.path not in XML_READERS
        for name, call in calls(source)
        if name in READERS or (name == "parse" and _is_of(call, "etree"))
    ]
    assert found == []


def _is_of(call: ast.Call, owner: str) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return name == owner
    return False


def test_no_code_out_of_data() -> None:
    """Nothing is evaluated, unpickled or given to a shell; XSLT, which can read files, is not used at all."""
    found = [
        f"{source.path}:{call.lineno} {name}"
        for source in sources("adapter/")
        for name, call in calls(source)
        if name in {"eval", "exec", "XSLT", "system", "popen"} or "shell" in [word.arg for word in call.keywords]
    ]
    found += [
        f"{source.path} imports {name}"
        for source in sources("adapter/")
        for name in imports(source)
        if name.split(".")[0] in {"pickle", "marshal", "shelve", "yaml"}
    ]
    assert found == []
