"""The plots of the inspector's report, as SVG inside a page: bars for each day, and a week's hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lxml import etree

from adapter.audit.report import HOURS

Node = etree._Element

_WIDTH: Final = 960
_BARS_HEIGHT: Final = 240
_LEFT: Final = 56
_RIGHT: Final = 8
_TOP: Final = 12
_BOTTOM: Final = 34
_CELL_HEIGHT: Final = 26
_MAX_BARS: Final = 92
_MAX_LABELS: Final = 10
_HALF_LABEL: Final = 36
_DARK: Final = 0.45
"""From which share of the most a cell is so dark that its number is light."""
_STEPS: Final = (1, 2, 5)


def node(tag: str, *content: Node | str, **attributes: object) -> Node:
    """An element; text is escaped when it is written. `class_` is class, and other underscores are hyphens."""
    made = etree.Element(tag, {_name(key): str(value) for key, value in attributes.items()})
    for one in content:
        if not isinstance(one, str):
            made.append(one)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + one
        else:
            made.text = (made.text or "") + one
    return made


def _name(key: str) -> str:
    return "viewBox" if key == "view_box" else key.rstrip("_").replace("_", "-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A day, a week or a month: its name, and how often something was let in and refused."""

    label: str
    let_in: int
    refused: int


def bars_of(days: Mapping[date, Mapping[bool, int]]) -> tuple[Bar, ...]:
    """A bar for each day, also those without askings; for each week or month when there are too many."""
    if not days:
        return ()
    span = (max(days) - min(days)).days + 1
    name = _day if span <= _MAX_BARS else _week if span <= 7 * _MAX_BARS else _month
    let_in: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    labels: dict[str, None] = {}
    for day in _every_day(min(days), span):
        labels[name(day)] = None
        counted = days.get(day, {})
        let_in[name(day)] += counted.get(True, 0)
        refused[name(day)] += counted.get(False, 0)
    return tuple(Bar(label=label, let_in=let_in[label], refused=refused[label]) for label in labels)


def _every_day(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=one) for one in range(count))


def _day(day: date) -> str:
    return day.isoformat()


def _week(day: date) -> str:
    return _day(day - timedelta(days=day.weekday()))


def _month(day: date) -> str:
    return day.strftime("%Y-%m")


def plot_bars(bars: Sequence[Bar], *, title: str, description: str) -> Node:
    """Let in below, refused on top of it, for each bar."""
    top = _nice(max((bar.let_in + bar.refused for bar in bars), default=0))
    height = _BARS_HEIGHT - _TOP - _BOTTOM
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(bars), 1)
    drawn: list[Node] = []
    for tick in range(5):
        value = top * tick / 4
        y = _TOP + height * (1 - tick / 4)
        drawn.append(node("line", x1=_LEFT, x2=_WIDTH, y1=_round(y), y2=_round(y), class_="grid"))
        drawn.append(node("text", f"{value:g}", x=_LEFT - 8, y=_round(y + 4), class_="end"))
    label_every = -(-len(bars) // _MAX_LABELS)
    for at, bar in enumerate(bars):
        x, width = _LEFT + at * step, max(step * 0.8, 1)
        low, high = height * bar.let_in / top, height * bar.refused / top
        said = node("title", f"{bar.label}: {bar.let_in} + {bar.refused}")
        drawn.append(
            node(
                "g",
                said,
                _rectangle(x + step * 0.1, _TOP + height - low, width, low, "let-in"),
                _rectangle(x + step * 0.1, _TOP + height - low - high, width, high, "refused"),
            )
        )
        if at % label_every == 0:
            middle = min(x + step / 2, _WIDTH - _HALF_LABEL)
            drawn.append(node("text", bar.label, x=_round(middle), y=_BARS_HEIGHT - 12, class_="cell"))
    return _svg(_BARS_HEIGHT, title, description, drawn)


def plot_week(
    week: Sequence[Sequence[int]],
    weekdays: Sequence[str],
    is_off: Callable[[int, int], bool],
    *,
    title: str,
    description: str,
) -> Node:
    """A cell for each hour of each weekday, darker where more was asked. is_off: whether nobody works then."""
    most = max((count for hours in week for count in hours), default=0) or 1
    step = (_WIDTH - _LEFT) / HOURS
    drawn: list[Node] = []
    for row, (hours, weekday) in enumerate(zip(week, weekdays, strict=True)):
        y = _TOP + row * _CELL_HEIGHT
        drawn.append(node("text", weekday, x=_LEFT - 8, y=y + 17, class_="end"))
        for hour, count in enumerate(hours):
            x = _LEFT + hour * step
            kind = "off" if is_off(row, hour) else "on"
            cell = _rectangle(x + 1, y + 1, step - 2, _CELL_HEIGHT - 2, kind)
            fill = _rectangle(x + 1, y + 1, step - 2, _CELL_HEIGHT - 2, "asked")
            fill.set("fill-opacity", f"{0.15 + 0.85 * count / most if count else 0:.2f}")
            said = node("title", f"{weekday} {hour:02d}:00: {count}")
            dark = "cell dark" if count > _DARK * most else "cell light"
            number = node("text", str(count) if count else "", x=_round(x + step / 2), y=y + 17, class_=dark)
            drawn.append(node("g", said, cell, fill, number))
    bottom = _TOP + len(week) * _CELL_HEIGHT
    drawn += [
        node("text", f"{hour:02d}", x=_round(_LEFT + (hour + 0.5) * step), y=bottom + 18, class_="cell")
        for hour in range(HOURS)
    ]
    return _svg(bottom + 28, title, description, drawn)


def _svg(height: int, title: str, description: str, drawn: Sequence[Node]) -> Node:
    return node(
        "svg",
        node("title", title),
        node("desc", description),
        *drawn,
        view_box=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_label=f"{title}. {description}",
    )


def _rectangle(x: float, y: float, width: float, height: float, kind: str) -> Node:
    return node("rect", x=_round(x), y=_round(y), width=_round(width), height=_round(height), class_=kind)


def _round(value: float) -> str:
    return f"{value:.1f}"


def _nice(most: int) -> int:
    """The end of an axis that holds this: divisible into four, with round numbers."""
    unit = 4
    while True:
        for step in _STEPS:
            if unit * step >= most:
                return unit * step
        unit *= 10
