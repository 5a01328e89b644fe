"""Containers: payloads are identified and read like files, within one budget for all that is inside one file."""

from __future__ import annotations

from hashlib import sha256

from targetenv.artifacts.inspection import Inspection, Member, damaged, odd
from targetenv.model.artifact import Artifact
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsFormat, NeedsUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Kernel
    from targetenv.model.requirement import Requirement


class Budget:
    """What reading one file may cost: containers inside one another, payloads in all, bytes made by decompressing, seconds.

    Readers take from it before they do the work, so a budget is for one file: TE4003 where it is used up, TE4081 where its time
    is. Time is bounded only where `seconds` is given; `clock` counts them (default: `time.monotonic`). Everything else that a
    reader does is bounded by the file's own size. Without `digests` artifacts have empty ones, and of large images only what
    describes them is read.

    >>> Budget(depth=0).enter("a.vmfb")
    Traceback (most recent call last):
        ...
    targetenv.diagnostics.diagnostic.FormatError: error[TE4003]: containers are nested too deeply in this file
     --> a.vmfb
      = help: ...
    """

    __slots__ = ("_clock", "_deadline", "depth", "digests", "entries", "inflated")

    def __init__(
        self,
        *,
        depth: int = 8,
        entries: int = 4096,
        inflated: int = 1 << 30,
        seconds: float | None = None,
        clock: Callable[[], float] | None = None,
        digests: bool = True,
    ) -> None:
        self.depth = depth
        self.entries = entries
        self.inflated = inflated
        self.digests = digests
        self._clock = None
        self._deadline = 0.0
        if seconds is not None:
            from time import monotonic  # only for a caller who asks for it: nothing else here knows the time

            self._clock = clock or monotonic
            self._deadline = self._clock() + seconds

    def digest(self, data: bytes | memoryview) -> str:
        """The SHA-256 by which an artifact of these bytes is known."""
        return sha256(data).hexdigest() if self.digests else ""

    def enter(self, name: str) -> None:
        """Open one more container inside the one that is open; `leave` when it is read."""
        self.tick(name)
        self.depth -= 1
        if self.depth < 0:
            raise damaged("TE4003", name, "containers are nested too deeply in this file", help=_ADVICE)

    def leave(self) -> None:
        """The container that was entered last is read."""
        self.depth += 1

    def take(self, count: int, name: str) -> None:
        """Account for `count` payloads."""
        self.tick(name)
        self.entries -= count
        if self.entries < 0:
            raise damaged("TE4003", name, "this file holds more payloads than are read of one file", help=_ADVICE)

    def inflate(self, size: int, name: str) -> None:
        """Account for `size` bytes that decompressing will make."""
        self.tick(name)
        self.inflated -= size
        if self.inflated < 0:
            raise damaged("TE4003", name, "this file holds more compressed data than is decompressed of one file", help=_ADVICE)

    def tick(self, name: str) -> None:
        """Go on only while there is time."""
        if self._clock is not None and self._clock() > self._deadline:
            raise damaged("TE4081", name, "reading this file takes longer than it may", help=_PATIENCE)


_UNREAD = (None, "elf", "tenv")  # `elf`: for a machine that no reader knows
_ADVICE = "extract the part that matters, or allow more: `--max-depth`, `--max-entries`, `--max-inflated`, or a larger `Budget`"
_PATIENCE = "extract the part that matters, or allow more: `--max-seconds`, or `seconds` of the `Budget`"


def member(
    payload: memoryview,
    *,
    name: str,
    within: str,
    budget: Budget,
    stated: str | None = None,
    label: str | None = None,
    offset: int | None = None,
) -> Member:
    """The payload called `name` of the container `within`, read by whichever reader knows it.

    `stated` is the format that the container says it has. A payload that no reader knows is an artifact of the stated format
    with unknown requirements, and a warning (TE4004); without a stated format it is a warning only. `label` and `offset` are
    those of `Member`. FormatError as `inspect`.
    """
    from targetenv.artifacts import identify, inspect

    budget.take(1, within)
    budget.enter(within)
    source = f"{within}!{name}"
    if identify(payload) in _UNREAD:
        inspection = _unknown(payload, source, stated, budget.digest(payload))
    else:
        inspection = inspect(payload, name=source, budget=budget)
    budget.leave()
    return Member(name, inspection, payload, label, offset)


def executable(
    payload: memoryview,
    *,
    name: str,
    digest: str,
    executable_format: str,
    requires: Sequence[Requirement] = (),
    kernels: Sequence[Kernel] = (),
    target: str | None = None,
    details: Sequence[tuple[str, str]] = (),
    diagnostics: Sequence[Diagnostic] = (),
) -> Inspection:
    """A plain executable whose reader has found out all of this; its format is required first."""
    wanted = tuple(dict.fromkeys((NeedsFormat(executable_format), *requires)))
    artifact = Artifact(name, executable_format, digest, wanted, tuple(kernels), target, size=len(payload))
    return Inspection(executable_format, (artifact,), tuple(diagnostics), tuple(details))


def container(
    container_format: str,
    members: Sequence[Member],
    *,
    details: Sequence[tuple[str, str]] = (),
    diagnostics: Sequence[Diagnostic] = (),
) -> Inspection:
    """The inspection of a container: the artifacts and warnings of its members are its own."""
    return Inspection(
        container_format,
        tuple(artifact for row in members for artifact in row.inspection.artifacts),
        (*diagnostics, *(warning for row in members for warning in row.inspection.diagnostics)),
        tuple(details),
        tuple(members),
    )


def adjusted(found: Member, change: Callable[[Artifact], Artifact]) -> Member:
    """The member with every artifact in it changed: what a container adds to what the bytes say."""
    return replace(found, inspection=_changed(found.inspection, change))


def _changed(inspection: Inspection, change: Callable[[Artifact], Artifact]) -> Inspection:
    if not inspection.members:
        return replace(inspection, artifacts=tuple(change(artifact) for artifact in inspection.artifacts))
    members = tuple(adjusted(row, change) for row in inspection.members)
    artifacts = tuple(artifact for row in members for artifact in row.inspection.artifacts)
    return replace(inspection, artifacts=artifacts, members=members)


def _unknown(payload: memoryview, name: str, stated: str | None, digest: str) -> Inspection:
    head = bytes(payload[:4]).hex(" ")
    what = f"begins with `{head}` and is of no format that is read" if len(payload) else "is empty"
    warning = odd("TE4004", name, f"this payload {what}", help="extract it and read it with its own tools")
    if stated is None:
        return Inspection("unknown", (), (warning,), (("size", f"{len(payload)} bytes"),))
    unknown = NeedsUnknown(f"what this {stated} payload needs: no reader knows it")
    return executable(payload, name=name, digest=digest, executable_format=stated, requires=(unknown,), diagnostics=(warning,))
