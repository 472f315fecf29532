"""Work on a large message is done in a thread of its own, so that the event loop answers others meanwhile.

Parsing, canonicalisation and the schema's judgement of megabytes take tenths of a second, most of it in compiled code
that leaves the interpreter to others. There is one such thread in a process: large messages wait for one another, small
ones for none of them, and what is held at a time stays bounded by what is let in.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from adapter.xmlsafe import LARGE_BYTES

_Result = TypeVar("_Result")

_OTHERS_WAIT_S: Final = 0.0005

_thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-messages")


def let_others_in_sooner() -> None:
    """Let whoever waits for the interpreter have it after half a millisecond instead of five (for the whole process).

    While a large message is worked on in Python code, every step of every other exchange waits once that long.
    """
    sys.setswitchinterval(_OTHERS_WAIT_S)


async def worked_on(octets: int, work: Callable[[], _Result]) -> _Result:
    """What `work` gives, or raises. octets: of the message that it works on; a small one is worked on here and now.

    work: everything that it touches belongs to this message, or may be shared between threads.
    """
    if octets < LARGE_BYTES:
        return work()
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_thread, lambda: context.run(work))
