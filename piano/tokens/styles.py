"""The styles that the vocabulary has tokens for: composers, kinds of recordings, how dense the playing is, moods.

Names and numbers alone, so that the settings can tell them before anything else is loaded.
"""

COMPOSERS = (
    "albeniz",
    "bach",
    "beethoven",
    "brahms",
    "chopin",
    "clementi",
    "debussy",
    "grieg",
    "handel",
    "haydn",
    "liszt",
    "medtner",
    "mendelssohn",
    "mozart",
    "mussorgsky",
    "prokofiev",
    "rachmaninoff",
    "ravel",
    "scarlatti",
    "schubert",
    "schumann",
    "scriabin",
    "tchaikovsky",
    "wagner",
)

SOURCES = ("recital", "practice", "pop", "transcription", "roll")
"""The kind of recording: a concert or competition, a practice room, pop arrangements, a transcription, a piano roll."""

DENSITY_EDGES = (2.0, 3.0, 4.5, 6.0, 8.0, 10.5, 14.0)
"""Note onsets per second that separate the density styles; density k lies above the k-th edge."""

DENSITIES = tuple(str(index) for index in range(len(DENSITY_EDGES) + 1))

LATER_SOURCES = ("jazz", "cover")
"""Sources that came to the table later: jazz improvisation, and piano covers of pop, film and anime songs."""

MOODS = ("happy", "tense", "sad", "calm")
"""The four quadrants of valence and arousal (Russell 1980): both high, arousal alone, neither, valence alone."""
