"""Arguments of one call against the interface of a kernel: what can be wrong is found here, before a device is asked."""

from __future__ import annotations

from targetenv.launch.arrays import Array, Scalar, described, pack_number, product
from targetenv.launch.refusals import refused
from targetenv.model.record import record
from targetenv.wire.extent import Extent
from targetenv.wire.package import Binding, Constant, constant_offsets, item_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from targetenv.wire.package import PackagedKernel, Variant

_LARGEST_GRID = (1 << 32) - 1


@record
class Prepared:
    """What is handed to the runtime: constants as one block (laid out as `interface`), a slot for each buffer, workgroups."""

    interface: tuple[Constant, ...]
    constants: bytes
    buffers: tuple[Slot, ...]
    grid: tuple[int, int, int]


@record
class Slot:
    """One buffer of a call; `given` is what it holds before, None where the kernel only writes."""

    binding: Binding
    dtype: str
    shape: tuple[int, ...]
    given: Array | None

    @property
    def size(self) -> int:
        """Bytes."""
        return product(self.shape) * item_size(self.dtype)


def passed(kernel: PackagedKernel) -> tuple[tuple[Constant, ...], tuple[Binding, ...]]:
    """The parameters that a caller passes, in order: constants that nothing fills in, then buffers that are read."""
    constants = tuple(constant for constant in kernel.constants if constant.value is None)
    return constants, tuple(binding for binding in kernel.bindings if binding.access != "write")


def prepare(
    kernel: PackagedKernel,
    variant: Variant,
    scalars: Mapping[str, Scalar],
    arrays: Mapping[str, Array],
    grid: Sequence[int] | None,
) -> Prepared:
    """Check everything and lay it out; CallError names the kernel, the parameter, what was expected and what was given."""
    constants, bindings = _interface(kernel, scalars, arrays)
    _check_names(kernel, constants, bindings, scalars, arrays)
    shapes = {name: array.shape for name, array in arrays.items()}
    slots = []
    for binding in bindings:
        given = arrays.get(binding.name)
        if binding.dtype is not None and given is not None and given.dtype != binding.dtype:
            expected = f"`{binding.name}` of `{kernel.name}` is {binding.dtype}, got {given}"
            raise refused("TE5205", expected, f"pass {binding.dtype}; nothing is converted silently")
        shape = _shape(kernel, binding, given, shapes)
        slots.append(Slot(binding, given.dtype if given is not None else binding.dtype or "u8", shape, given))
    known = {slot.binding.name: slot.shape for slot in slots}
    values = {constant.name: _constant(kernel, constant, scalars, known) for constant in constants}
    return Prepared(constants, _block(constants, values), tuple(slots), _workgroups(kernel, variant, grid, known))


def constant_bytes(kernel: PackagedKernel, constant: Constant, scalar: Scalar) -> bytes:
    """The bytes of a constant that the caller passes; CallError (TE5205, TE5212) when the number is not one of its type."""
    name = f"{constant.name}` of `{kernel.name}"
    dtype = constant.dtype or scalar.dtype or ("f32" if isinstance(scalar.value, float) else _integer_type(scalar.value))
    if constant.dtype is not None and scalar.dtype not in (None, constant.dtype):
        raise refused("TE5205", f"`{name}` is {constant.dtype}, got {scalar.dtype}")
    if constant.dtype is None and item_size(dtype) != 4:
        raise refused("TE5205", f"`{name}` has four bytes, got {dtype}")
    return pack_number(scalar.value, dtype, name=name)


def _interface(
    kernel: PackagedKernel, scalars: Mapping[str, Scalar], arrays: Mapping[str, Array]
) -> tuple[tuple[Constant, ...], tuple[Binding, ...]]:
    """The parameters; an open kernel takes `c0`, `c1` ... and `b0`, `b1` ... as far as they are given without a gap."""
    if not kernel.open:
        return kernel.constants, kernel.bindings
    constants = {constant.name: constant for constant in kernel.constants}
    bindings = {binding.name: binding for binding in kernel.bindings}
    while (name := f"c{len(constants)}") in scalars:
        constants[name] = Constant(name, None)
    while (name := f"b{len(bindings)}") in arrays:
        bindings[name] = Binding(name, None)
    return tuple(constants.values()), tuple(bindings.values())


def _check_names(
    kernel: PackagedKernel,
    constants: Sequence[Constant],
    bindings: Sequence[Binding],
    scalars: Mapping[str, Scalar],
    arrays: Mapping[str, Array],
) -> None:
    computed = {row.name: row.value for row in constants if row.value is not None}
    free = [row.name for row in constants if row.value is None]
    inputs = [row.name for row in bindings if row.access != "write"]
    outputs = [row.name for row in bindings if row.access == "write"]
    for name in (*scalars, *arrays):
        if name in computed:
            raise refused("TE5202", f"`{name}` of `{kernel.name}` follows from `{computed[name]}` and cannot be passed")
        if name in outputs:
            raise refused("TE5202", f"`{name}` of `{kernel.name}` is only written and cannot be passed")
        if name in inputs and name in scalars:
            dtype = next(row.dtype for row in bindings if row.name == name) or "f32"
            advice = f"pass an array, such as `{name}=4x{dtype}=0` on the command line"
            raise refused("TE5206", f"`{name}` of `{kernel.name}` is a buffer, got a number", advice)
        if name in free and name in arrays:
            raise refused("TE5206", f"`{name}` of `{kernel.name}` is a number, got {arrays[name]}", f"pass `{name}=2`")
        if name not in free and name not in inputs:
            from targetenv.diagnostics.suggest import did_you_mean

            advice = did_you_mean(name, [*free, *inputs]) or f"it takes {', '.join([*free, *inputs]) or 'nothing'}"
            raise refused("TE5202", f"`{kernel.name}` has no parameter `{name}`", advice)
    missing = [name for name in (*free, *inputs) if name not in scalars and name not in arrays]
    if missing:
        first = next((row for row in bindings if row.name == missing[0]), None)
        example = f"{missing[0]}=1024x{first.dtype or 'f32'}=0" if first is not None else f"{missing[0]}=2"
        message = f"`{kernel.name}` also needs {', '.join(f'`{name}`' for name in missing)}"
        raise refused("TE5203", message, f"pass it, on the command line as `--input {example}`")


def _shape(
    kernel: PackagedKernel, binding: Binding, given: Array | None, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[int, ...]:
    """The shape of a buffer: that of the array that was passed, if it fits what is declared; else what is declared."""
    if binding.shape is None:
        assert given is not None, "a buffer that is only written has a shape"
        return given.shape
    declared = tuple(_extent(kernel, f"the shape of `{binding.name}`", size, shapes) for size in binding.shape)
    if given is not None and given.shape != declared:
        rule = ", ".join(map(str, binding.shape))
        message = f"`{binding.name}` of `{kernel.name}` is {described(binding.dtype, declared)} here, got {given}"
        raise refused("TE5204", message, notes=(f"its shape is [{rule}]",))
    return declared


def _extent(kernel: PackagedKernel, what: str, size: str | int, shapes: Mapping[str, tuple[int, ...]]) -> int:
    extent = Extent.parse(size)
    try:
        return extent.evaluate(shapes)
    except IndexError:
        shape = shapes[extent.name or ""]
        message = f"{what} in `{kernel.name}` is `{size}`, but `{extent.name}` has {_count(len(shape), 'dimension')}"
        advice = f"pass `{extent.name}` with at least {_count((extent.axis or 0) + 1, 'dimension')}"
        raise refused("TE5204", message, advice) from None


def _constant(
    kernel: PackagedKernel, constant: Constant, scalars: Mapping[str, Scalar], shapes: Mapping[str, tuple[int, ...]]
) -> bytes:
    if constant.value is None:
        return constant_bytes(kernel, constant, scalars[constant.name])
    size = _extent(kernel, f"`{constant.name}`", constant.value, shapes)
    return pack_number(size, constant.dtype or "u32", name=f"{constant.name}` of `{kernel.name}")


def _integer_type(value: int) -> str:
    return "i32" if value < 1 << 31 else "u32"


def _block(constants: Sequence[Constant], values: Mapping[str, bytes]) -> bytes:
    *offsets, size = constant_offsets(tuple(constants))
    block = bytearray(size)
    for constant, at in zip(constants, offsets, strict=True):
        value = values[constant.name]
        block[at : at + len(value)] = value
    return bytes(block)


def _workgroups(
    kernel: PackagedKernel, variant: Variant, grid: Sequence[int] | None, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[int, int, int]:
    """The grid in workgroups: each extent divided by what one workgroup covers of it, rounded up."""
    if grid is None:
        if kernel.grid is None:
            advice = "say how many elements there are, with `--grid N` or `grid=(N,)`"
            raise refused("TE5207", f"the package does not say how large the grid of `{kernel.name}` is", advice)
        grid = [_extent(kernel, "the grid", size, shapes) for size in kernel.grid]
    if not 1 <= len(grid) <= 3:
        raise refused("TE5207", f"a grid has one to three extents, got {len(grid)}")
    tile = variant.tile or variant.workgroup_size or (1, 1, 1)
    counts = [-(-extent // covered) for extent, covered in zip((*grid, 1, 1), tile, strict=False)][:3]
    if any(extent < 0 for extent in grid) or any(count > _LARGEST_GRID for count in counts):
        shown = ", ".join(map(str, grid))
        raise refused("TE5207", f"a grid of [{shown}] elements cannot be divided into workgroups of {list(tile)}")
    x, y, z = counts
    return x, y, z


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
