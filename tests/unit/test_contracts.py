"""Contracts are found, and nothing else is."""

from __future__ import annotations

import pytest

from adapter.contracts import contract_path, read_contract
from adapter.errors import InternalError


def test_contract_is_read() -> None:
    assert b"schema" in read_contract("xsd/directory.xsd")
    assert contract_path("xsd/directory.xsd").name == "directory.xsd"


@pytest.mark.parametrize(
    "name", ["", "xsd", "xsd/", "xsd/absent.xsd", "adapter/errors.py", "xsd/../pyproject.toml", "/etc/hostname"]
)
def test_other_files_are_not_contracts(name: str) -> None:
    with pytest.raises(InternalError):
        contract_path(name)
