"""What `adapter log report` says, in English, Russian and Uzbek."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from adapter.audit.report import Dimension, Tally
from adapter.audit.report_patterns import Pattern, PatternKind
from adapter.envelope.texts import text_in


def minute(at: datetime | None) -> str:
    """A time as the agency's clocks show it, to the minute."""
    return "-" if at is None else at.strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of one language, and the agency's time zone."""

    language: str
    zone: tzinfo

    @property
    def dimensions(self) -> Mapping[Dimension, str]:
        """What askings are counted by."""
        return {
            Dimension.CONSUMER: text_in(self.language, "By consumer"),
            Dimension.PURPOSE: text_in(self.language, "By purpose"),
            Dimension.RULE: text_in(self.language, "By access rule"),
        }

    @property
    def officials(self) -> str:
        """The heading over the officials."""
        return text_in(self.language, "By official")

    @property
    def emergencies(self) -> str:
        """The heading over emergencies."""
        return text_in(self.language, "Emergencies, by official")

    @property
    def review_columns(self) -> tuple[str, ...]:
        """The further headings of emergencies: what the reviews found."""
        return (
            text_in(self.language, "Review open"),
            text_in(self.language, "Justified"),
            text_in(self.language, "Unjustified"),
        )

    def about_emergencies(self, *, any_of_them: bool) -> str:
        """What stands below the emergencies."""
        if not any_of_them:
            return text_in(self.language, "Nothing was called an emergency.")
        return text_in(self.language, "The other tables count these too. Reasons and reviews: {command}").format(
            command="adapter access reviews --all"
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings of numbers, after the name."""
        return (
            text_in(self.language, "Asked"),
            text_in(self.language, "Let in"),
            text_in(self.language, "Refused"),
            text_in(self.language, "Night, weekend"),
        )

    @property
    def times(self) -> tuple[str, ...]:
        """The last headings."""
        return (text_in(self.language, "First"), text_in(self.language, "Last"))

    @property
    def about_columns(self) -> tuple[str, ...]:
        """The further headings of officials."""
        return (
            text_in(self.language, "Subjects"),
            text_in(self.language, "Asked about by nobody else, once"),
            text_in(self.language, "About one subject at most"),
        )

    @property
    def name(self) -> str:
        """The heading over names."""
        return text_in(self.language, "Name")

    @property
    def day(self) -> str:
        """The heading over days."""
        return text_in(self.language, "Day")

    @property
    def weekdays(self) -> tuple[str, ...]:
        """From Monday."""
        return (
            text_in(self.language, "Mon"),
            text_in(self.language, "Tue"),
            text_in(self.language, "Wed"),
            text_in(self.language, "Thu"),
            text_in(self.language, "Fri"),
            text_in(self.language, "Sat"),
            text_in(self.language, "Sun"),
        )

    @property
    def no_patterns(self) -> str:
        """When the rules find nothing."""
        return text_in(self.language, "Nothing is unusual by the rules of this report.")

    def period(self, since: datetime | None, until: datetime | None) -> str:
        """From when until when."""
        begin = text_in(self.language, "the first entry") if since is None else minute(since.astimezone(self.zone))
        end = text_in(self.language, "now") if until is None else minute(until.astimezone(self.zone))
        return f"{begin} – {end} ({self.zone})"

    def summary(self, asked: int, unknown: int) -> str:
        """How many askings were counted."""
        said = text_in(
            self.language, "Askings of which it is known who asked: {asked}. Refused before that was known: {unknown}."
        )
        return said.format(asked=asked, unknown=unknown)

    def pattern(self, one: Pattern) -> str:
        """One finding, in a sentence."""
        usual = one.usual or 0.0
        match one.kind:
            case PatternKind.VOLUME:
                said = text_in(self.language, "{who} asked {count} times on {day}; on its other days {usual} is usual.")
                return said.format(who=one.who, count=one.count, day=one.day, usual=f"{usual:g}")
            case PatternKind.OFF_HOURS:
                said = text_in(
                    self.language,
                    "{who} asked at night or on a weekend {count} times of {of}; of the colleagues' askings "
                    "{usual} % are.",
                )
                return said.format(who=one.who, count=one.count, of=one.of, usual=f"{100 * usual:.0f}")
            case PatternKind.REPEATED:
                said = text_in(self.language, "{who} asked {count} times about one and the same subject.")
                return said.format(who=one.who, count=one.count)
            case PatternKind.ALONE:
                said = text_in(
                    self.language,
                    "{who} asked once each about {count} subjects that nobody else asked about; among the colleagues "
                    "{usual} is usual.",
                )
                return said.format(who=one.who, count=one.count, usual=f"{usual:g}")

    def more(self, kind: PatternKind, shown: int, found: int) -> str:
        """That not all findings of a kind are shown."""
        headings = {
            PatternKind.VOLUME: text_in(self.language, "Volume"),
            PatternKind.OFF_HOURS: text_in(self.language, "Hours"),
            PatternKind.REPEATED: text_in(self.language, "The same subject again"),
            PatternKind.ALONE: text_in(self.language, "Subjects asked about once"),
        }
        said = text_in(self.language, "{heading}: {shown} of {found} are shown, the most unusual first.")
        return said.format(heading=headings[kind], shown=shown, found=found)

    def row(self, name: str, tally: Tally, *further: str) -> tuple[str, ...]:
        """A line of a table. further: what stands between the numbers and the times."""
        return (
            name,
            str(tally.asked),
            str(tally.let_in),
            str(tally.refused),
            str(tally.off_hours),
            *further,
            minute(tally.first),
            minute(tally.last),
        )

    def command(self, one: Pattern) -> str:
        """How to see the entries of a finding."""
        words = ["adapter", "log", "list"]
        if one.day is not None:
            begin = datetime.combine(one.day, time(), self.zone)
            words += [
                "--consumer",
                one.who,
                "--since",
                begin.isoformat(),
                "--until",
                (begin + timedelta(days=1)).isoformat(),
            ]
        if one.official is not None:
            words += ["--member", one.official.member, "--official", one.official.number]
        if one.tag is not None:
            words += ["--subject-tag", one.tag]
        return shlex.join(words)
