"""Run below `unshare`: fill a file system of one megabyte and say what became of the record on it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from tests.records import RecordHome
from tests.unit.store.filling import fill_up


async def fill(folder):
    home = RecordHome.make(folder)
    record = home.writer()
    await record.start()
    acknowledged, refusal = await fill_up(record)
    await record.close()
    said = {"acknowledged": acknowledged, "refusal": refusal.reason, "entries": home.verify().entries}
    sys.stdout.write(json.dumps(said))


subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", sys.argv[1]], check=True)
asyncio.run(fill(Path(sys.argv[1])))
