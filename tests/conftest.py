"""Options that every suite understands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("gate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", parent=settings.get_profile("gate"), max_examples=2000)
settings.load_profile(os.environ.get("TARGETENV_HYPOTHESIS_PROFILE", "gate"))

os.environ.setdefault("VK_LAYER_SETTINGS_PATH", str(Path(__file__).parent / "setup" / "vk_layer_settings.txt"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-driver",
        default="",
        metavar="NAME,...",
        help="drivers whose absence fails the conformance suite instead of skipping it",
    )
    parser.addoption(
        "--shuffle",
        type=int,
        metavar="SEED",
        help="run the conformance suite's cases in a random order, the same for equal seeds",
    )
    parser.addoption("--update-goldens", action="store_true", help="rewrite golden files instead of comparing with them")


@pytest.fixture(scope="session")
def required_drivers(request: pytest.FixtureRequest) -> frozenset[str]:
    """Drivers that must not be skipped."""
    return frozenset(filter(None, request.config.getoption("--require-driver").split(",")))


@pytest.fixture(scope="session")
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are being rewritten."""
    return bool(request.config.getoption("--update-goldens"))
