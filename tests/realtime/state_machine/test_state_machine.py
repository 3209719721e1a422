"""The partner under everything at once: Hypothesis chooses what befalls it, and shrinks what breaks a law."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from realtime.engine.commands import Command
from realtime.midi.ports import Direction
from realtime.performers.play_settings import Mode
from tests.realtime.state_machine.chaos import COMMANDS, PITCHES, STRANGE, Chaos
from tests.realtime.state_machine.fuzz import run
from tests.support.scripted_play import MS

NOTES = st.builds(
    lambda status, pitch, velocity: bytes((status, pitch, velocity)),
    st.sampled_from((0x90, 0x90, 0x80, 0x91, 0x81, 0x99)),
    st.sampled_from(PITCHES),
    st.integers(0, 127),
)
PEDALS = st.builds(lambda value: bytes((0xB0, 64, value)), st.sampled_from((0, 63, 64, 127)))
ODD = st.integers(0, len(STRANGE) - 1).map(STRANGE.__getitem__)  # by number: one of them is long
MESSAGES = st.one_of(NOTES, NOTES, PEDALS, ODD)


class Machine(RuleBasedStateMachine):
    """One session."""

    def __init__(self) -> None:
        super().__init__()
        self.chaos = Chaos()

    @rule(data=MESSAGES)
    def play(self, data: bytes) -> None:
        self.chaos.play(data)

    @rule(messages=st.lists(MESSAGES, min_size=2, max_size=20), times=st.sampled_from((1, 20)))
    def flood(self, messages: list[bytes], times: int) -> None:
        self.chaos.flood(messages * times)

    @rule(ns=st.sampled_from((0, 1, MS, 30 * MS, 450 * MS, 1500 * MS)))
    def wait(self, ns: int) -> None:
        self.chaos.wait(ns)

    @rule(command=st.sampled_from(COMMANDS))
    def tell(self, command: Command) -> None:
        self.chaos.tell(command)

    @rule(mode=st.sampled_from(Mode), thru=st.booleans())
    def exchange(self, mode: Mode, thru: bool) -> None:
        self.chaos.exchange(mode, thru=thru)

    @rule(fault=st.sampled_from(("raise", "nan", "slow")))
    def break_model(self, fault: str) -> None:
        self.chaos.break_model(fault)

    @rule(fault=st.sampled_from(("raise", "nan")))
    def break_model_in_the_midst(self, fault: str) -> None:
        self.chaos.break_model_in_the_midst(fault)

    @rule(direction=st.sampled_from(Direction))
    def fail_thread(self, direction: Direction) -> None:
        self.chaos.fail_thread(direction)

    @rule()
    def break_output(self) -> None:
        self.chaos.break_output()

    @rule(system=st.booleans())
    def lose(self, system: bool) -> None:
        self.chaos.lose(system=system)

    @rule()
    def return_output(self) -> None:
        self.chaos.return_output()

    @rule(s=st.sampled_from((5, 8 * 3600)))
    def stall(self, s: int) -> None:
        self.chaos.stall(s)

    @rule()
    def settle(self) -> None:
        self.chaos.settle()

    @invariant()
    def laws(self) -> None:
        self.chaos.check()

    def teardown(self) -> None:
        self.chaos.finish()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_share_of_the_long_fuzz() -> None:
    counts = run(5_000, seed=7)
    assert counts.settled > 0
    assert counts.struck > 100
    assert counts.model_faults > 0
    assert counts.faults_in_the_midst > 0
    assert counts.thread_faults > 0
    assert counts.port_faults > 0
    assert counts.refused > 0
