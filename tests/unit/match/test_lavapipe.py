"""A real device: what the Khronos validation layer takes on lavapipe is what match says it offers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targetenv.match import Judge
from targetenv.model.document import to_device
from targetenv.model.requirement import NeedsCapability
from targetenv.model.verdict import Outcome

CORPUS = Path(__file__).parents[2] / "corpora" / "lavapipe-22.3.6"
DEVICE = to_device(json.loads((CORPUS / "lavapipe.device.json").read_text(encoding="utf-8"))["device"])
SAID = json.loads((CORPUS / "capabilities.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("capability", sorted(SAID))
def test_a_capability_is_offered_when_the_validation_layer_takes_it(capability: str) -> None:
    outcome = Judge(DEVICE.offers).check(NeedsCapability(capability)).outcome
    assert outcome is (Outcome.SATISFIED if SAID[capability] == "accept" else Outcome.UNSATISFIED)
