"""Of any answer and any rule: what goes out is what the rule names, all of it and nothing else, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from adapter.envelope.carried import unwrap
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.errors import AnswerNotReleasable
from tests.minimising import description, minimised, rule, shown, spelled

Marked = list[tuple[str, str]]
"""The path of every value of an answer, and the value, which no other one has."""
FIELDS = (
    "Person/Name",
    "Person/@sex",
    "Person/@status",
    "Person/Passport",
    "Person/Permit",
    "Person/Children/Child",
    "Note",
    "Note/Bold",
    "Part/Title",
    "Part/Part/Title",
    "Paper",
    "@number",
)
NEEDED = frozenset(("Person/Name", "Person/@sex", "Person/Passport", "Person/Permit"))
"""Without these a person is not valid."""
STANDS_FOR = {"Person__Died": "nil", "Person__Pinfl": "mask"}
PIECES = ("person", "note", "part", "paper", "comment")


class Writer:
    """Writes the content of a File; every value is one of a kind."""

    def __init__(self) -> None:
        self.marked: Marked = []
        self._numbers = count(1)

    def value(self, path: str) -> str:
        """A new value that stands at this path."""
        self.marked.append((path, f"secret{next(self._numbers)}end"))
        return self.marked[-1][1]

    def person(self, *, has_permit: bool, children: int) -> str:
        """Two attributes, a choice, a list."""
        papers = "Permit" if has_permit else "Passport"
        many = "".join(f"<Child>{self.value('Person/Children/Child')}</Child>" for _ in range(children))
        return (
            f'<Person sex="{self.value("Person/@sex")}" status="{self.value("Person/@status")}">'
            f"<Name>{self.value('Person/Name')}</Name><Died>2020-01-02</Died><Pinfl>40101900000012</Pinfl>"
            f"<Children>{many}<!--{self.value('')}--></Children>"
            f"<{papers}>{self.value(f'Person/{papers}')}</{papers}></Person>"
        )

    def note(self) -> str:
        """Mixed content."""
        bold = f"<Bold>{self.value('Note/Bold')}</Bold>"
        return f"<Note>{self.value('Note')}{bold}{self.value('Note')}</Note>"

    def part(self, depth: int) -> str:
        """The same element inside itself."""
        path = "/".join(["Part"] * (depth + 1))
        below = self.part(depth + 1) if depth < 2 else ""
        return f"<Part><Title>{self.value(f'{path}/Title')}</Title>{below}</Part>"

    def all(self, people: list[tuple[bool, int]], pieces: frozenset[str]) -> Iterator[str]:
        """The pieces that are wanted, in the order of the schema."""
        for has_permit, children in people:
            yield self.person(has_permit=has_permit, children=children)
        if "note" in pieces:
            yield self.note()
        if "part" in pieces:
            yield self.part(0)
        if "paper" in pieces:
            yield f"<Paper>{self.value('Paper')}</Paper><Verdict>{self.value('Verdict')}</Verdict>"
        if "comment" in pieces:
            yield f"<!--{self.value('')}--><?pi {self.value('')}?>"


@given(
    people=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=3),
    pieces=st.frozensets(st.sampled_from(PIECES)),
    named=st.sets(st.sampled_from(FIELDS)),
    is_enough=st.booleans(),
)
def test_what_goes_out_is_what_is_named(
    people: list[tuple[bool, int]], pieces: frozenset[str], named: set[str], *, is_enough: bool
) -> None:
    writer = Writer()
    content = "".join(writer.all(people, pieces))
    named |= NEEDED if is_enough else set()
    try:
        answer = minimised(content, rule(*sorted(named), **(STANDS_FOR if is_enough else {})))
    except AnswerNotReleasable:
        assert not is_enough
        return  # what is left would not be valid: a person without a name, say
    text = shown(answer)
    assert {mark for _, mark in writer.marked if mark in text} == {mark for at, mark in writer.marked if at in named}
    assert "40101900000012" not in text
    assert "2020-01-02" not in text
    operation = description().operation("Ask")
    check_with_attachments(description(), answer.payload, unwrap(answer.payload), operation, (), in_output=True)
    assert set(answer.released or ()) <= {spelled(path) for path in named}


def test_the_property_is_not_empty() -> None:
    """There are answers with people that a rule lets out: not everything is refused."""
    writer = Writer()
    content = "".join(writer.all([(True, 2), (True, 0)], frozenset(PIECES)))
    answer = minimised(content, rule("Person/Name", "Person/@sex", "Person/Permit", **STANDS_FOR))
    assert sum(mark in shown(answer) for _, mark in writer.marked) == 6
