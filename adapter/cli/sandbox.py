"""`adapter sandbox`: a provider's system made from a WSDL, to develop and to test against."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import requests
import typer
from aiohttp import web
from lxml import etree
from rich.text import Text

from adapter.attachments import Attachment
from adapter.cli.attachment_words import attachment_value, attachment_words
from adapter.cli.options import now_utc, reader
from adapter.cli.output import JsonValue, Output, bad, counted, doubtful, good, when
from adapter.cli.wsdl_download import Source, download_description, is_web_address
from adapter.envelope.description import ServiceDescription
from adapter.envelope.masking import masked
from adapter.errors import AdapterError, CommandRefused
from adapter.samples.make import Variant
from adapter.sandbox.play import Play, parse_play
from adapter.sandbox.server import CONTROL_PATH, PLAY_HEADER, Arrival, SandboxServer, Stage
from adapter.sandbox.system import SandboxSystem
from adapter.xmlsafe import parse

_LOOPBACK: Final = "127.0.0.1"

app = typer.Typer()

play_reader: Final = reader(parse_play)


@app.command(epilog="adapter sandbox cadastre.wsdl --port 9090 --play fault,times=1")
def sandbox(
    wsdl: Annotated[
        str, typer.Argument(help="The WSDL: a file with what it imports, a folder, or its address.", show_default=False)
    ],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9090,
    listen: Annotated[str, typer.Option(help="Address to listen on. There is no access control.")] = _LOOPBACK,
    seed: Annotated[int, typer.Option(help="Another seed, other people and numbers.")] = 0,
    minimal: Annotated[bool, typer.Option("--minimal", help="Leave out of answers what may be left out.")] = False,
    play: Annotated[
        list[Play] | None,
        typer.Option(
            parser=play_reader,
            metavar="WHAT",
            help="What to play: fault, fault=NAME, drop, half, nonsense, invalid, down; with delay=S, times=N, "
            "operation=NAME. May be given several times: one after the other.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show each request too, its values masked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for a script.")] = False,
) -> None:
    """Be a provider's system: answer every operation with valid, plausible, made-up data.

    Shows each request that arrives, and what is wrong with it: line, element and rule. Use it behind an adapter, or
    call it directly. What it plays can be changed while it runs: see docs/integrator.md.
    """
    output = Output.of(as_json=as_json)
    description = _described(wsdl, output)
    system = SandboxSystem(description, seed=seed, variant=Variant.MINIMAL if minimal else Variant.FULL)
    server = SandboxServer(
        description, system, Stage(tuple(play or ())), clock=now_utc, tell=_teller(output, show=show)
    )
    try:
        asyncio.run(_serve(server, description, listen, port, output))
    except OSError as cause:
        raise CommandRefused(f"cannot listen on {listen}:{port}: {cause.strerror or cause}") from None


def _described(wsdl: str, output: Output) -> ServiceDescription:
    """The description in a file or at an address. Raises DescriptionUnusable, PeerUnreachable."""
    if not is_web_address(wsdl):
        return Source.at(Path(wsdl)).description()
    with requests.Session() as session:
        downloaded = download_description(wsdl, session)
    for address in downloaded.skipped:
        output.remark(f"Not fetched, because it lies on another server: {address}")
    return downloaded.description()


async def _serve(
    server: SandboxServer, description: ServiceDescription, listen: str, port: int, output: Output
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    runner = web.ServerRunner(web.Server(server, access_log=None), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, listen, port).start()
        _greet(runner, description, output)
        await stopped.wait()
    finally:
        await runner.cleanup()


def _greet(runner: web.ServerRunner, description: ServiceDescription, output: Output) -> None:
    host, port = runner.addresses[0][:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    operations = sorted({operation.name for operation in description.operations})
    _line(
        output,
        {"event": "listening", "address": address, "wsdl": f"{address}?wsdl", "operations": operations},
        Text(f"{address}?wsdl"),
    )
    output.remark(f"Answers {counted(len(operations), 'operation')}; Ctrl-C stops. No access control: for tests only.")
    output.remark(f"To play a fault: curl -X POST '{address.rstrip('/')}{CONTROL_PATH}?play=fault,times=1'")
    output.remark(f"or for one request only: {address}?play=fault, or the header {PLAY_HEADER}: fault")


def _teller(output: Output, *, show: bool) -> Callable[[Arrival], None]:
    def tell(arrival: Arrival) -> None:
        _line(output, _value(arrival, show=show), *_words(arrival, show=show))

    return tell


def _line(output: Output, value: dict[str, JsonValue], *shown: Text) -> None:
    """One event: an object on a line of its own, or words."""
    if output.as_json:
        output.results.file.write(json.dumps(value, ensure_ascii=False) + "\n")
    else:
        for one in shown:
            output.results.print(one)
    output.results.file.flush()


def _words(arrival: Arrival, *, show: bool) -> list[Text]:
    answer = arrival.answer
    is_good = not answer.problems and answer.outcome.startswith(("answered", "accepted"))
    operation = answer.operation or "?"
    start = f"#{arrival.number} {when(arrival.at)} {arrival.sender} {operation}, {len(arrival.request.octets)} octets: "
    delay = f", after {arrival.play.delay_s:g} s" if arrival.play.delay_s else ""
    lines = [Text.assemble(start, (good if is_good else bad)(answer.outcome), delay)]
    for problem in answer.problems:
        place = f"line {problem.line}, " if problem.line else ""
        lines.append(Text.assemble(f"    {place}{problem.element}: ", bad(problem.text), f" [{problem.rule}]"))
    lines += [doubtful(f"    {remark}") for remark in answer.remarks]
    lines += [Text(f"    attachment {attachment_words(part)}") for part in _parts(arrival)]
    if show:
        lines.append(Text(_shown(arrival)))
    return lines


def _parts(arrival: Arrival) -> tuple[Attachment, ...]:
    return () if arrival.answer.came is None else arrival.answer.came.said


def _value(arrival: Arrival, *, show: bool) -> dict[str, JsonValue]:
    answer = arrival.answer
    value: dict[str, JsonValue] = {
        "event": "request",
        "number": arrival.number,
        "at": when(arrival.at),
        "from": arrival.sender,
        "operation": answer.operation or None,
        "octets": len(arrival.request.octets),
        "outcome": answer.outcome,
        "status": int(answer.status),
        "play": str(arrival.play),
        "problems": [
            {
                "line": problem.line,
                "element": problem.element,
                "rule": problem.rule,
                "text": problem.text,
            }
            for problem in answer.problems
        ],
        "remarks": list(answer.remarks),
        "attachments": [attachment_value(part) for part in _parts(arrival)],
    }
    if show:
        value["request"] = _shown(arrival)
    return value


def _shown(arrival: Arrival) -> str:
    """A request's envelope with every value masked: the sender's people may be real."""
    octets = arrival.request.octets if arrival.answer.came is None else arrival.answer.came.octets
    try:
        root = masked(parse(octets))
    except AdapterError:
        return "(not XML that can be shown masked)"
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
