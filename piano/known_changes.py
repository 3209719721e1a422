"""The changes that have a name: text alone, as `piano.changes` reads it, so that the settings can tell the names."""

KNOWN = {
    "blues": "I7 | IV7 | I7 | % | IV7 | % | I7 | VI7 | ii7 | V7 | I7 VI7 | ii7 V7",
    "minor blues": "i7 | iv7 | i7 | % | iv7 | % | i7 | % | bVI7 | V7 | i7 | V7",
    "ii-V-I": "ii7 | V7 | Imaj7 | %",
    "minor ii-V-I": "iih7 | V7 | i7 | %",
    "rhythm": (
        "Imaj7 VI7 | ii7 V7 | Imaj7 VI7 | ii7 V7 | I7 | IV | Imaj7 V7 | Imaj7"
        " | Imaj7 VI7 | ii7 V7 | Imaj7 VI7 | ii7 V7 | I7 | IV | Imaj7 V7 | Imaj7"
        " | III7 | % | VI7 | % | II7 | % | V7 | %"
        " | Imaj7 VI7 | ii7 V7 | Imaj7 VI7 | ii7 V7 | I7 | IV | Imaj7 V7 | Imaj7"
    ),
}
"""Charts by name, in steps of a key."""
