"""A model that goes round in a figure of six keys for ever, as a script for a `ScriptedSession`."""

from piano.events import Role
from piano.tokens.vocabulary import VOCABULARY, Kind


def round_and_round(tokens: tuple[int, ...]) -> int:
    """Six keys, one after the other, for ever."""
    kind = Kind(int(VOCABULARY.kinds[tokens[-1]]))
    match kind:
        case Kind.ON:
            return VOCABULARY.velocity(80)
        case Kind.VELOCITY:
            return VOCABULARY.off(Role.OWN, int(VOCABULARY.values[tokens[-2]]))
        case Kind.TIME:
            struck = int((VOCABULARY.kinds[list(tokens)] == Kind.ON).sum())
            return VOCABULARY.on(Role.OWN, 60 + 2 * (struck % 6))
    return VOCABULARY.time(10)
