"""How the benchmark measures: CPU time of processes, the floor, where the time goes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.cost import cost_of, members, peak_memory_bytes
from bench.floor import FloorMeter, primitives
from bench.grouping import OTHER, group_of, read_profile
from bench.messages import make_payload

# A program whose child works and ends, then says so and waits.
WITH_CHILD = """
import os, sys, time
if os.fork() == 0:
    while time.process_time() < 0.3: pass
    os._exit(0)
os.wait()
filler = bytearray(80_000_000)
print("done", flush=True)
sys.stdin.read()
"""


def test_the_cost_of_a_group_has_its_children_and_its_memory():
    with subprocess.Popen(
        [sys.executable, "-c", WITH_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert members(process.pid) == [process.pid]
        assert cost_of(process.pid).cpu_s >= 0.29
        assert peak_memory_bytes(process.pid) > 80_000_000
        process.communicate()


@pytest.mark.parametrize("suite", ["p256", "ed25519", "rsa"])
def test_the_floor_has_every_primitive_and_each_of_them_works(suite):
    rows = primitives(suite, make_payload(2_000), b"<envelope/>")
    for primitive in rows.values():
        primitive()
    both = {"signature", "AES-128-GCM of the body", "SHA-256 of the body"}
    both |= {"RSA-OAEP"} if suite == "rsa" else {"agreement", "HKDF-SHA-256", "AES key wrap"}
    alone = {
        ("one parse: the envelope", "recipient"),
        ("one parse: the decrypted body", "recipient"),
        ("one exclusive c14n of the body", "sender"),
    }
    alone |= set() if suite == "rsa" else {("ephemeral key", "sender")}
    assert set(rows) == {(name, side) for name in both for side in ("sender", "recipient")} | alone


def test_an_exchange_is_every_row_twice():
    meter = FloorMeter("p256", {2_000: b"<envelope/>"})
    meter.measure_alone()
    meter.measure_under_load(lambda: True)
    rows = meter.rows(2_000)
    alone_s, under_load_s = meter.exchange(2_000)
    assert alone_s == pytest.approx(2 * sum(row.seconds for row in rows))
    assert under_load_s == pytest.approx(2 * sum(row.under_load_s for row in rows))


@pytest.mark.parametrize(
    ("frames", "group"),
    [
        (["adapter/xmlsafe.py:canonical", "adapter/crypto/open.py:verify"], "canonicalisation"),
        (["adapter/xmlsafe.py:parse", "adapter/envelope/gate.py:parse_message"], "XML parsing"),
        (["json/encoder.py:encode", "adapter/audit/canonical.py:canonical_json"], "record"),
        (["threading.py:wait", "thread:record-writer"], "record"),
        (["aiohttp/http_writer.py:StreamWriter.write"], "HTTP"),
        (["asyncio/runners.py:Runner.run", "thread:MainThread"], "event loop"),
        (["somewhere.py:else"], OTHER),
    ],
)
def test_a_stack_belongs_to_its_innermost_frame_that_has_a_group(frames, group):
    assert group_of(frames).startswith(group)


def test_a_profile_is_read_without_places_and_lines(tmp_path):
    (tmp_path / "1.json").write_text(
        json.dumps(
            [
                {"seconds": 0.25, "stack": ["/x/lib/python3.11/site-packages/aiohttp/client.py:ClientSession.post:12"]},
                {"seconds": 0.5, "stack": ["/x/lib/python3.11/site-packages/aiohttp/client.py:ClientSession.post:13"]},
            ]
        )
    )
    profile = read_profile(tmp_path.glob("*.json"))
    assert profile.own == {"aiohttp/client.py:ClientSession.post": 0.75}
    assert profile.total_s == 0.75
