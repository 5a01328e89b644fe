"""`record` keeps the contract of `@dataclass(frozen=True, slots=True)`, property by property."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle

import pytest

from targetenv.model.record import FrozenRecordError, record, replace


@record
class Ours:
    name: str
    size: int = 3
    tags: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    name: str
    size: int = 3
    tags: frozenset[str] = frozenset()


@record
class Single:
    value: int


@record
class Empty:
    pass


@record
class Noted:
    name: str
    _origin: str = ""


@record
class Checked:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size is negative")


@record
class Ordered:
    major: int
    minor: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ordered) and self.major == other.major

    def __hash__(self) -> int:
        return hash(self.major)


BOTH = pytest.mark.parametrize("cls", [Ours, Theirs], ids=["record", "dataclass"])


@BOTH
def test_arguments_go_by_position_and_by_name(cls: type) -> None:
    assert cls("a", 1) == cls(name="a", size=1)


@BOTH
def test_the_signature_has_the_fields_in_order(cls: type) -> None:
    assert list(inspect.signature(cls).parameters) == ["name", "size", "tags"]


@BOTH
def test_defaults_fill_in(cls: type) -> None:
    assert (cls("a").size, cls("a").tags) == (3, frozenset())


@BOTH
@pytest.mark.parametrize("arguments", [(), ("a", 1, frozenset(), 4)], ids=["too few", "too many"])
def test_a_wrong_number_of_arguments_is_a_type_error(cls: type, arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        cls(*arguments)


@BOTH
def test_an_unknown_argument_is_a_type_error(cls: type) -> None:
    with pytest.raises(TypeError):
        cls("a", colour="red")


@BOTH
def test_equality_is_by_value_and_only_within_the_class(cls: type) -> None:
    assert cls("a") == cls("a")
    assert cls("a") != cls("b")
    assert cls("a") != ("a", 3, frozenset())


def test_another_class_with_the_same_fields_is_not_equal() -> None:
    theirs: object = Theirs("a")
    assert Ours("a") != theirs


@BOTH
def test_equal_values_hash_equally(cls: type) -> None:
    assert len({cls("a"), cls("a"), cls("b")}) == 2


@BOTH
def test_a_field_cannot_be_set(cls: type) -> None:
    value = cls("a")
    with pytest.raises(AttributeError):
        value.size = 4
    assert value.size == 3


@BOTH
def test_a_field_cannot_be_deleted(cls: type) -> None:
    value = cls("a")
    with pytest.raises(AttributeError):
        del value.size


@BOTH
def test_an_instance_has_no_dict(cls: type) -> None:
    assert not hasattr(cls("a"), "__dict__")


@BOTH
def test_patterns_match_by_position_and_by_name(cls: type) -> None:
    match cls("a", 1):
        case cls(name, size=1):  # type: ignore[misc]
            assert name == "a"
        case _:
            pytest.fail("no pattern matched")


@BOTH
def test_copies_and_pickles_are_equal(cls: type) -> None:
    value = cls("a", 1, frozenset({"x"}))
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_repr_is_that_of_a_dataclass() -> None:
    assert repr(Ours("a")) == repr(Theirs("a")).replace("Theirs", "Ours")


def test_replace_makes_a_changed_copy_as_dataclasses_does() -> None:
    ours, theirs = replace(Ours("a"), size=9), dataclasses.replace(Theirs("a"), size=9)
    assert (ours.name, ours.size) == (theirs.name, theirs.size) == ("a", 9)


def test_refusal_names_the_class_and_the_field() -> None:
    with pytest.raises(FrozenRecordError, match=r"Ours\.size"):
        Ours("a").size = 4  # type: ignore[misc]


def test_one_field_and_no_field_compare_and_hash_too() -> None:
    assert Single(1) == Single(1) != Single(2)
    assert Empty() == Empty()
    assert hash(Single(1)) == hash(Single(1))
    assert hash(Empty()) != hash(Single(1))


def test_a_field_with_an_underscore_takes_no_part_in_equality_hash_or_repr() -> None:
    one, other = Noted("a", "file"), Noted("a", "probe")
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == "Noted(name='a')"


def test_a_post_init_runs_and_may_refuse() -> None:
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_methods_that_a_class_defines_itself_are_kept() -> None:
    assert Ordered(1, 2) == Ordered(1, 3)
    assert len({Ordered(1, 2), Ordered(1, 3)}) == 1


def test_an_instance_can_be_weakly_referenced() -> None:
    import weakref

    value = Ours("a")
    assert weakref.ref(value)() is value
