"""What a user wants beyond what fits: preferences among equals, pinned variants, no compilation at load time."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.model.record import record
from targetenv.resolve.kinds import KINDS, kind_of_artifact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from targetenv.model.artifact import Artifact

SMALLER = "smaller"


class PolicyError(TargetEnvError, ValueError):
    """A policy names something that is not there (TE302x)."""


@record
class Policy:
    """`prefer` decides between variants that nothing about them and the device separates: by kind (`native`, `jit` ...), format
    or name, or the `smaller` one; the first word that tells two apart decides. `pins` are kernels with the only variant that
    each may run as. `never_jit` leaves out what is compiled when it is loaded.
    """

    prefer: tuple[str, ...] = ()
    pins: tuple[tuple[str, str], ...] = ()
    never_jit: bool = False

    def __bool__(self) -> bool:
        return bool(self.prefer or self.pins or self.never_jit)

    def key(self, artifact: Artifact) -> tuple[int, ...]:
        """Where this variant stands by `prefer`, least first."""
        return tuple(_place(artifact, word) for word in self.prefer)

    def excludes(self, kernel: str, artifact: Artifact) -> tuple[str, str] | None:
        """The rule that leaves this variant out and why, for people; None where it may be chosen."""
        pinned = dict(self.pins).get(kernel)
        if pinned is not None and artifact.name != pinned:
            return "rank.pinned", f"`{kernel}` is pinned to {pinned}"
        kind = kind_of_artifact(artifact)
        if self.never_jit and kind.at_load:
            return "rank.never-jit", f"it {kind.phrase}, which `--never-jit` forbids"
        return None

    def check(self, kernels: Mapping[str, Sequence[Artifact]]) -> None:
        """PolicyError where it names what is not there: TE3021 a preference, TE3022 a pin."""
        known = known_words(artifact for variants in kernels.values() for artifact in variants)
        for word in self.prefer:
            if word not in known:
                raise _unknown("TE3021", f"`{word}` is nothing that a variant could be preferred for", word, known)
        for kernel, variant in self.pins:
            if kernel not in kernels:
                raise _unknown("TE3022", f"there is no kernel `{kernel}` to pin", kernel, tuple(kernels))
            names = tuple(artifact.name for artifact in kernels[kernel])
            if variant not in names:
                raise _unknown("TE3022", f"kernel `{kernel}` has no variant `{variant}` to pin it to", variant, names)


def policy(prefer: Iterable[str] = (), pin: Mapping[str, str] | None = None, *, never_jit: bool = False) -> Policy:
    """A policy from what callers have.

    >>> policy(["smaller"], {"saxpy": "v3"}).pins
    (('saxpy', 'v3'),)
    """
    return Policy(tuple(prefer), tuple(sorted((pin or {}).items())), never_jit)


def parse_pins(texts: Iterable[str]) -> dict[str, str]:
    """`KERNEL=VARIANT` each; PolicyError TE3023 for anything else, or for a kernel that is pinned twice."""
    found: dict[str, str] = {}
    for text in texts:
        kernel, separator, variant = text.partition("=")
        if not (separator and kernel and variant):
            advice = "write `--pin KERNEL=VARIANT`"
            raise PolicyError(Diagnostic("TE3023", f"`{text}` is not a kernel and its variant", help=advice))
        if kernel in found:
            raise PolicyError(Diagnostic("TE3023", f"kernel `{kernel}` is pinned twice", help="pin each kernel once"))
        found[kernel] = variant
    return found


def known_words(artifacts: Iterable[Artifact]) -> tuple[str, ...]:
    """Every word that `prefer` takes for these variants."""
    rows = list(artifacts)
    kinds = tuple(kind.name for kind in KINDS if kind.name != "unranked")
    return (*kinds, SMALLER, *sorted({row.format for row in rows}), *sorted({row.name for row in rows}))


def _place(artifact: Artifact, word: str) -> int:
    if word == SMALLER:
        return artifact.size
    return int(word not in (artifact.name, artifact.format, kind_of_artifact(artifact).name))


def _unknown(code: str, message: str, word: str, known: Sequence[str]) -> PolicyError:
    from targetenv.diagnostics.suggest import did_you_mean

    advice = did_you_mean(word, known) or f"there is {', '.join(f'`{each}`' for each in known)}"
    return PolicyError(Diagnostic(code, message, help=advice))
