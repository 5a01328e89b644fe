"""Texts of target descriptions, right ones and damaged ones, and environments that dialects can say."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from targetenv.registry import vulkan
from targetenv.syntax import device_words, vk_names

CORPUS = Path(__file__).parents[1] / "corpora" / "attributes"
SEEDS = [path.read_bytes().decode() for path in sorted(CORPUS.rglob("*.env"))]
ALPHABET = '#<>[]{}(),:=|"\\ \n\t@!*?-+.;/_0123456789abrvxVK\u201c\u00e9\U0001f600\x00'

words = st.text("abcxyzVK_019.$", min_size=1, max_size=8)
_int32 = st.integers(0, 2**31 - 1)
_size = st.lists(st.integers(1, 2**31 - 1), min_size=3, max_size=3)
_element = st.sampled_from(["f16", "f32", "f64", "bf16", "i8", "i16", "i32", "si8", "ui8"])


@st.composite
def matrix_rows(draw: st.DrawFn) -> str:
    sizes = ", ".join(f"{name} = {draw(st.integers(1, 256))}" for name in ("mSize", "nSize", "kSize"))
    types = ", ".join(f"{name} = {draw(_element)}" for name in ("aType", "bType", "cType", "resultType"))
    saturating = draw(st.sampled_from(["true", "false"]))
    scope = draw(st.sampled_from(["Device", "Workgroup", "Subgroup", "QueueFamily"]))
    return f"#vk.coop_matrix_props<{sizes}, {types}, accSat = {saturating}, scope = <{scope}>>"


@st.composite
def era_c(draw: st.DrawFn) -> str:
    """A `#vk.target_env` that iree@20231218 accepts, and so do we: no contradiction in it."""
    release = vk_names.RELEASES["20231218"]
    vendor, kind = draw(st.sampled_from(release.vendors)), draw(st.sampled_from(device_words.DEVICE_TYPES))
    number = draw(st.one_of(st.just(""), st.integers(0, 2**32 - 1).map(lambda value: f":{value}")))
    extensions = draw(st.lists(st.sampled_from(sorted(release.extensions)), max_size=6))
    parameters = [
        f"maxComputeSharedMemorySize = {draw(_int32)}",
        f"maxComputeWorkGroupInvocations = {draw(_int32)}",
        f"maxComputeWorkGroupSize = dense<{draw(_size)}> : vector<3xi32>",
        f"subgroupFeatures = {draw(st.integers(0, 0x1FF))} : i32",
        f"subgroupSize = {1 << draw(st.integers(0, 7))}",
    ]
    low, high = sorted((draw(st.integers(0, 7)), draw(st.integers(0, 7))))
    parameters += draw(st.sampled_from([[], [f"minSubgroupSize = {1 << low}", f"maxSubgroupSize = {1 << high}"]]))
    units = [key.name for key in vk_names.KEYS if key.kind is vk_names.Kind.UNIT and key.name in release.keys]
    parameters += [f"{name} = unit" for name in draw(st.sets(st.sampled_from(units)))]
    rows = draw(st.none() | st.lists(matrix_rows(), max_size=3))
    parameters += [] if rows is None else [f"cooperativeMatrixPropertiesKHR = [{', '.join(rows)}]"]
    shuffled = ", ".join(draw(st.permutations(parameters)))
    version = draw(st.sampled_from(release.versions))
    return (
        f"#vk.target_env<{version}, r({draw(st.integers(0, 2**32 - 1))}), [{', '.join(extensions)}], "
        f"{vendor}:{kind}{number}, #vk.caps<{shuffled}>>"
    )


@st.composite
def with_registry_keys(draw: st.DrawFn) -> str:
    """A dictionary with features of the whole registry."""
    features = draw(st.sets(st.sampled_from(vulkan.feature_names()), max_size=6))
    extensions = draw(st.lists(st.sampled_from(sorted(vulkan.extension_names())), max_size=4))
    return f"#vk.target_env<v1.4, r(1), [{', '.join(extensions)}], {{{', '.join(sorted(features))}}}>"


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A seed with a few characters dropped, doubled, swapped or put in."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        match draw(st.integers(0, 4)):
            case 0:
                text = text[:at] + text[at + 1 :]
            case 1:
                text = text[:at] + draw(st.sampled_from(ALPHABET)) + text[at:]
            case 2:
                text = text[:at] + text[at : at + 9] + text[at:]
            case 3:
                text = text[:at]
            case _:
                text = text[:at] + draw(words) + text[at:]
    return text


anything = st.text(max_size=60) | st.text(ALPHABET, max_size=60) | damaged()
