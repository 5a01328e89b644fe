"""One question with two answers, and where it is asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Decision(NamedTuple):
    """What was asked, their answer, ours, and the reason where we know that we differ; answers are as short as they can be."""

    question: str
    theirs: object
    ours: object
    known: str = ""

    @property
    def agrees(self) -> bool:
        return self.theirs == self.ours


class Oracle(NamedTuple):
    """`id` is what rules name; `asks` says what is compared; `version` what answers, empty where it is not here."""

    id: str
    asks: str
    version: Callable[[], str]
    decide: Callable[[], Iterable[Decision]]


def tool(*names: str) -> str | None:
    """The first of these programs that is on PATH."""
    return next((path for name in names if (path := shutil.which(name))), None)


def said(*command: str) -> str:
    """What a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def accepts(command: Sequence[str], *, stdin: str | None = None) -> bool:
    """Whether a program ends well."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input=stdin).returncode == 0


def in_parallel(ask: Callable[[Question], Answer], questions: Iterable[Question]) -> list[Answer]:
    """The answers in order, two questions at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(ask, questions))
