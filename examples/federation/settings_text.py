"""The text of an adapter.toml, as a person would write it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from examples.federation.plan import ClientPlan, MemberPlan


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The TCP ports of one adapter, all on loopback."""

    peers: int
    clients: int
    operators: int


def adapter_toml(plan: MemberPlan, ports: Ports, *, directory_url: str, anchor: str) -> str:
    """The whole file. anchor: path of the authority's verifier key, from the folder of the file or absolute."""
    return (
        f"""\
# What each key means is said in docs/settings.md.

[adapter]
member = {_text(plan.id)}
log_level = "info"

[directory]
url = {_text(directory_url)}
anchor = {_text(anchor)}
refresh_s = 1

[peer_listener]
address = "127.0.0.1"
port = {ports.peers}

[client_listener]
port = {ports.clients}
{plan.client_listener}
[operators_listener]
port = {ports.operators}
"""
        + plan.more_settings
        + "".join(_client_toml(plan, client) for client in plan.clients)
    )


def secret_file(client: ClientPlan) -> str:
    """Where the digest of a client's token or password lies, from the folder of the settings file."""
    return f"clients/{client.name}.sha256"


def secret_digest(secret: str) -> str:
    """What stands in that file: nobody can call with it."""
    return hashlib.sha256(secret.encode()).hexdigest() + "\n"


def _client_toml(plan: MemberPlan, client: ClientPlan) -> str:
    context = f"\n[client.context]\n{client.context}\n" if client.context else ""
    return f"""
[[client]]
name = {_text(client.name)}
subsystem = {_text(f"{plan.id}/{client.subsystem}")}
{_proof(client)}
services = {_text(list(client.services))}
{context}"""


def _proof(client: ClientPlan) -> str:
    if client.token is not None:
        return f'identify_by = "token"\ntoken_file = {_text(secret_file(client))}'
    if client.user is not None:
        return f'identify_by = "basic"\nuser = {_text(client.user)}\npassword_file = {_text(secret_file(client))}'
    if client.certificate_sha256 is not None:
        return f'identify_by = "certificate"\ncertificate_sha256 = {_text(client.certificate_sha256)}'
    return 'identify_by = "address"\naddresses = ["127.0.0.1/32"]'


def _text(value: str | list[str]) -> str:
    """A TOML string or array of strings; both are written as in JSON."""
    return json.dumps(value, ensure_ascii=False)
