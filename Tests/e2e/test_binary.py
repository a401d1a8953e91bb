"""What the release binary is made of."""
from seqnorm import BINARY


def test_no_tables_of_languages_are_linked_in():
    # Foundation beyond FoundationEssentials brings 40 MB of them, of which nothing here has a use. A string that looks for a
    # string, `text.contains("x")`, or another function of Foundation's own is enough: `nm -u` on the object files finds it.
    assert b"icudt" not in BINARY.read_bytes()
