"""The package: the same octets from two folders, what is in it, its bill of materials, and that it runs by itself."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from adapter import __version__
from scripts.package import ROOT, build, copy_of_the_source
from scripts.sbom import FILE_NAME, bill, running

EPOCH = "1767225600"  # 2026-01-01
WHEEL = f"adapter-{__version__}-py3-none-any.whl"
BILL = f"adapter-{__version__}.dist-info/sboms/{FILE_NAME}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return build(ROOT, tmp_path_factory.mktemp("build") / "here", EPOCH)


@pytest.fixture(scope="module")
def names(built: dict[str, bytes]) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(built[WHEEL])).namelist()


def test_two_folders_give_the_same_octets(built: dict[str, bytes], tmp_path: Path) -> None:
    source = copy_of_the_source(tmp_path / "elsewhere")
    again = build(source, tmp_path / "out", EPOCH)
    assert again == built
    assert set(built) == {WHEEL, f"adapter-{__version__}.tar.gz", FILE_NAME}


def test_time_of_the_build_is_not_in_it(built: dict[str, bytes]) -> None:
    times = {one.date_time for one in zipfile.ZipFile(io.BytesIO(built[WHEEL])).infolist()}
    assert times == {(2026, 1, 1, 0, 0, 0)}


def test_contracts_and_catalogues_are_in_it(names: list[str]) -> None:
    for folder in ("xsd", "wsdl"):
        for contract in (path for path in (ROOT / folder).iterdir() if path.suffix in {".xsd", ".wsdl"}):
            assert f"adapter/_contracts/{folder}/{contract.name}" in names
    for language in ("ru", "uz"):
        assert f"adapter/locale/{language}/LC_MESSAGES/adapter.po" in names


def test_every_module_is_in_it(names: list[str]) -> None:
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "adapter").rglob("*.py")} <= set(names)


def test_nothing_else_is_in_it(names: list[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"adapter", f"adapter-{__version__}.dist-info"}
    assert not [name for name in names if name.endswith((".key", ".pem", ".sqlite", ".pyc")) or "/test" in name]


def test_source_archive_holds_no_tests_and_no_keys(built: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(built[f"adapter-{__version__}.tar.gz"])) as archive:
        inside = [name.partition("/")[2] for name in archive.getnames()]
    assert not [
        name for name in inside if name.startswith(("tests", "var", ".venv")) or name.endswith((".key", ".pem"))
    ]


# --- the bill of materials --------------------------------------------------------------------------------------------


def test_bill_inside_and_beside_are_one(built: dict[str, bytes]) -> None:
    inside = zipfile.ZipFile(io.BytesIO(built[WHEEL])).read(BILL)
    assert inside == built[FILE_NAME] == bill(__version__)


def test_bill_is_valid_cyclonedx() -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(bill(__version__).decode()) is None


def test_validator_is_a_real_one() -> None:
    content = json.loads(bill(__version__))
    del content["components"][0]["name"]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(content)) is not None


def test_every_locked_package_that_runs_is_in_the_bill() -> None:
    components = {one["name"]: one for one in json.loads(bill(__version__))["components"]}
    assert set(components) == set(running())
    for name, locked in running().items():
        assert components[name]["version"] == locked.version
        assert {one["content"] for one in components[name]["hashes"]} == set(locked.hashes)
        assert components[name]["licenses"]


# --- installed --------------------------------------------------------------------------------------------------------


@pytest.mark.sockets
def test_installed_wheel_runs_by_itself(built: dict[str, bytes], tmp_path: Path) -> None:
    """In an empty environment, with the locked packages lent by a path file instead of being installed again."""
    (tmp_path / WHEEL).write_bytes(built[WHEEL])
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    purelib = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(tmp_path / WHEEL)], check=True)
    spec = importlib.util.find_spec("lxml")
    assert spec is not None
    assert spec.origin is not None
    (purelib / "locked.pth").write_text(f"{Path(spec.origin).parents[1]}\n", encoding="utf-8")

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [venv / "bin" / "adapter", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    where = subprocess.run(
        [python, "-c", "import adapter; print(adapter.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(purelib))
    assert "doctor" in run("--help").stdout
    assert run("init", tmp_path / "home", "--member", "UZ/GOV/200000001").returncode == 0
    examined = run("doctor", "--home", tmp_path / "home", "--json")
    checks = {one["what"]: one for one in json.loads(examined.stdout)["checks"]}
    assert examined.returncode == 1  # there are no certificates yet
    assert checks["database"]["health"] == "ok"
    assert checks["key signing"]["found"].endswith("has no certificate")
