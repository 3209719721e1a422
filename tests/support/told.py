"""Listeners that write down what they are told."""

from realtime.engine.messages import EngineListener, PortReport
from realtime.output.listener import OutputListener


class ToldOutput(OutputListener):
    """What went out: all, our own, and what was passed on, each with its moment."""

    def __init__(self) -> None:
        self.all: list[tuple[int, bytes]] = []
        self.own: list[tuple[int, bytes]] = []
        self.passed: list[tuple[int, bytes]] = []

    def sent(self, at_ns: int, data: bytes, *, own: bool) -> None:
        for told in (self.all, self.own if own else self.passed):
            told.append((at_ns, data))


class ToldPorts(EngineListener):
    """What was reported of ports."""

    def __init__(self) -> None:
        self.reports: list[PortReport] = []

    def ports_changed(self, report: PortReport) -> None:
        self.reports.append(report)
