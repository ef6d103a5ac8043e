"""Every command of the user guides runs in a test, or the list says why it cannot."""

import re

from tests import guides
from tests.tables import each_row

COMMANDS = guides.commands()
NUMBERS = {
    *(f"B-{number:02}" for number in range(1, 52) if number not in {20, 22, 30, 43}),
    *("B-20", "B-20a", "B-20b", "B-20c", "B-20d"),
    *(f"B-22{letter}" for letter in "abcdef"),
    *("B-43a", "B-43b"),
}
"""The numbers that the list of commands gives; it has no B-30."""
PAGE_ON_HOSTING = {f"A-{number}" for number in range(1, 9)}


def test_the_list_has_every_numbered_command() -> None:
    """None was forgotten when the guides were read, and none can be dropped in silence."""
    assert {each.id for each in COMMANDS.values() if each.run} == NUMBERS
    assert {each.also for each in COMMANDS.values() if each.also} == PAGE_ON_HOSTING


@each_row("command", COMMANDS.values(), ids=lambda command: command.id)
def test_a_command_runs_in_a_test_or_says_why_not(command: guides.Command) -> None:
    """Exactly one of the two; what runs has something that must be seen."""
    where = [place for each, place in guides.marked() if each == command.id]
    if command.cannot:
        assert not where, f"runs in {where}: the reason has gone"
        assert re.match(r"(AWS|EKS): ", command.cannot), "only what needs AWS itself or EKS may be left out"
    else:
        assert where, f'no test is marked @pytest.mark.{guides.MARK}("{command.id}")'
        assert bool(command.see) == bool(command.run) != bool(command.fact)


def test_every_mark_names_a_command_of_the_list() -> None:
    """A test that proves what no guide asks for has a typing error."""
    assert {each for each, _ in guides.marked()} <= set(COMMANDS)
