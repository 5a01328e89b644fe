"""What is odd about a device file is said once for each kind, with how often."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Severity
from targetenv.wire.complaints import Complaints

KINDS = ("TE4310", "TE4311", "TE4312", "TE4313", "TE4314", "TE4315", "TE4316", "TE4317")


def test_each_kind_is_one_warning_however_often_it_was_met() -> None:
    complaints = Complaints("x.json")
    for code in KINDS:
        for about in ("a", "b", "c", "d", "a"):
            complaints.add(code, about)
    made = complaints.diagnostics()
    assert [diagnostic.code for diagnostic in made] == list(KINDS)
    assert {diagnostic.severity for diagnostic in made} == {Severity.WARNING}
    assert all("4" in diagnostic.message and "`a`, `b`, `c` and 1 more" in diagnostic.message for diagnostic in made)


def test_one_case_is_said_in_the_singular() -> None:
    complaints = Complaints("x.json")
    complaints.add("TE4312", "limits\x1b[1m")
    assert complaints.diagnostics()[0].message == "a value cannot be read and is left out: `limits\ufffd[1m`"
