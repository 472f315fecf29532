"""The same as an OpenAPI document, for people: one page without scripts and without anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from adapter.dialects.json_dialect import MEDIA_TYPE
from adapter.dialects.json_plan import NIL, TYPE
from adapter.dialects.json_text import Json

OPENAPI_NAME: Final = "openapi.json"
PAGE_TYPE: Final = "text/html; charset=utf-8"
_MAX_DEPTH: Final = 8
_MAX_VALUES: Final = 150
_MAX_EXAMPLE_CHARS: Final = 6000
_OF_TYPE: Final[Mapping[str, Json]] = {"string": "…", "integer": 0, "number": 0.5, "boolean": True}
PAGE_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#f4f4f4;padding:.8rem;overflow-x:auto}code{background:#f4f4f4}h2{margin-top:2.5rem}"
)


def openapi_page(document: dict[str, Any]) -> bytes:
    """The page of a document that `openapi_document` made. Its texts are another organisation's: all are escaped."""
    info, address = document["info"], document["servers"][0]["url"]
    operations = {path.removeprefix("/"): item["post"] for path, item in document["paths"].items()}
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>',
        f"<style>{PAGE_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])}</h1>",
        f"<p>{_with_code(info['description'])}</p>",
        f'<p>For programs: <a href="{escape(address)}/{OPENAPI_NAME}">{OPENAPI_NAME}</a> (OpenAPI 3.1).</p>',
        "<ul>",
        *(f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in operations),
        "</ul>",
    ]
    for name, operation in operations.items():
        parts.extend(_operation(name, operation, document))
    parts.append("<h2>What can go wrong</h2>")
    failures = document["components"]["responses"].values()
    parts.extend(f"<p>{escape(failure['description'])}</p>" for failure in failures)
    parts.append("</body></html>")
    return "\n".join(parts).encode()


def _operation(name: str, operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    address = f"{document['servers'][0]['url']}/{name}"
    request = operation["requestBody"]["content"][MEDIA_TYPE]
    reply = operation["responses"].get("200", {}).get("content", {}).get(MEDIA_TYPE)
    parts = [f'<h2 id="{escape(name)}">{escape(name)}</h2>']
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    command = f"curl --json @request.json '{address}'"
    parts.extend([f"<pre>POST {escape(address)}\n\n{escape(command)}</pre>", "<h3>Request</h3>"])
    parts.append(f"<pre>{escape(_shown(request, document))}</pre>")
    if reply is not None:
        parts.extend(["<h3>Reply</h3>", f"<pre>{escape(_shown(reply, document))}</pre>"])
    return parts


def _with_code(text: str) -> str:
    """Text in which what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _shown(content: dict[str, Any], document: dict[str, Any]) -> str:
    """The example of a message; where none could be made, the outline of its schema."""
    value = content.get("example")
    if value is None:
        value = _Outline(document["components"]["schemas"]).of(content["schema"], 0)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= _MAX_EXAMPLE_CHARS else f"{text[:_MAX_EXAMPLE_CHARS]}\n…"


class _Outline:
    """Every member once, with a value that shows its kind; of a choice all branches, of what is deep the beginning."""

    def __init__(self, components: Mapping[str, dict[str, Any]]) -> None:
        self._components = components
        self._left = _MAX_VALUES

    def of(self, schema: dict[str, Any], depth: int) -> Json:
        """An outline of what fits a schema."""
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            return "…"
        schema = self._resolved(schema)
        if "enum" in schema or "examples" in schema or "const" in schema:
            return next(iter(schema.get("examples") or schema.get("enum") or [schema.get("const")]), None)
        if schema.get("type") == "object":
            members = schema.get("properties", {})
            return {name: self.of(each, depth + 1) for name, each in members.items() if name not in (NIL, TYPE)}
        if schema.get("type") == "array":
            return [self.of(schema.get("items", {}), depth + 1)]
        return schema.get("minimum") if "minimum" in schema else _OF_TYPE.get(str(schema.get("type")), "…")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Behind references, and the first of several alternatives."""
        for _ in range(_MAX_DEPTH):
            if "$ref" in schema:
                schema = self._components[schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema and "type" not in schema:
                schema = schema["anyOf"][0]
            elif "allOf" in schema and "type" not in schema:
                schema = schema["allOf"][0]
        return schema
