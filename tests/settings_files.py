"""Good adapter.toml and service.toml, in pieces, for tests to put together and to spoil."""

from __future__ import annotations

MINIMAL = """\
[adapter]
member = "UZ/GOV/200000001"
[directory]
url = "https://directory.example/"
anchor = "anchor.json"
"""
CLIENT = """\
[[client]]
name = "benefits"
subsystem = "UZ/GOV/200000001/benefits"
identify_by = "token"
token_file = "benefits.token"
services = ["UZ/GOV/200000002/*"]
"""

SERVICE_HEAD = """\
code = "GetPerson"
version = "v1"
subsystem = "population"
title = "Person by PINFL"
personal_data = true
backend = "sql"
subject_kind = "pinfl"
subject_xpath = "p:Pinfl"
[namespaces]
p = "urn:population"
"""
SERVICE_SQL = """\
[sql]
database = "people.sqlite"
[sql.operation.GetPerson]
query = "SELECT name AS Name FROM person WHERE pinfl = :pinfl"
reply = "p:GetPersonReply"
parameters = { pinfl = "p:Pinfl" }
[sql.operation.GetPerson.list."Family/Member"]
query = "SELECT name AS Name FROM family WHERE pinfl = :pinfl"
"""
