"""What the sandbox is told to play, in one line."""

import pytest

from adapter.errors import CommandRefused
from adapter.sandbox.play import PLAIN, Part, Play, parse_play
from adapter.sandbox.server import Stage


@pytest.mark.parametrize(
    ("text", "play"),
    [
        ("", PLAIN),
        ("fault", Play(part=Part.FAULT)),
        ("fault=NotFound, times=2", Play(part=Part.FAULT, detail="NotFound", times=2)),
        ("delay=2.5", Play(delay_s=2.5)),
        ("drop,delay=1,operation=Ask", Play(part=Part.DROP, delay_s=1, operation="Ask")),
    ],
)
def test_a_line_is_read_and_written_again(text, play):
    assert parse_play(text) == play
    assert parse_play(str(play)) == play


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("falt", "did you mean fault?"),
        ("zzz", "it knows answer, fault"),
        ("drop=1", "drop takes no value"),
        ("delay=-1", "a number of seconds"),
        ("delay=nan", "a number of seconds"),
        ("delay=9999", "at most 600"),
        ("times=0", "from 1"),
        ("times=x", "from 1"),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(text, says):
    with pytest.raises(CommandRefused, match=says):
        parse_play(text)


def test_plays_come_one_after_the_other_as_often_as_they_say():
    stage = Stage((parse_play("fault,times=2"), parse_play("down,times=1")))
    seen = []
    for _ in range(4):
        play = stage.current()
        seen.append(play.part)
        stage.played(play)
    assert seen == [Part.FAULT, Part.FAULT, Part.DOWN, Part.ANSWER]


def test_a_play_without_a_number_stays():
    stage = Stage((parse_play("drop"),))
    for _ in range(3):
        stage.played(stage.current())
    assert stage.current().part is Part.DROP
