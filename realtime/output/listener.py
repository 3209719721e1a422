"""Who is told of what goes out over the port."""


class OutputListener:
    """Is told on the output thread; it must only hand over (put in a queue, add to a list) and not raise."""

    def sending(self, at_ns: int, data: bytes, *, own: bool) -> None:
        """Take note of a message just before it goes out; `own` if it is not the player's, passed on."""

    def sent(self, at_ns: int, data: bytes, *, own: bool) -> None:
        """Take note of a message that went out."""
