"""A compiled executable, and the kernels inside it."""

from __future__ import annotations

from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement


@record
class Parameter:
    """One argument in a kernel's argument block, in bytes from the block's start, where the executable describes it.

    `kind` is `buffer`, `value`, `local` (workgroup memory whose size the caller chooses), `image`, `sampler` or `hidden` (which
    the runtime fills in); `name` is the source's, or the compiler's word for a hidden one.
    """

    offset: int
    size: int
    kind: str
    name: str | None = None


@record
class Kernel:
    """One entry point, as far as the executable itself describes it; None is "it does not say".

    `workgroup_size` is in invocations; `bindings` counts the buffers of descriptor set 0 (or of the kernel's binding table);
    `constants` is in bytes; `local_memory` is the workgroup memory in bytes. `entry_point` is the symbol inside the executable
    where that is not `name`. `subgroup_size` is the size that the kernel must run with (a pipeline parameter in Vulkan).
    `parameters` is the layout of the argument block of APIs that have one.
    `access` says of each binding whether it is a `read`, `write` or `readwrite` one, `least` how many bytes it has at least.
    """

    name: str
    workgroup_size: tuple[int, int, int] | None = None
    bindings: int | None = None
    constants: int | None = None
    local_memory: int | None = None
    entry_point: str | None = None
    subgroup_size: int | None = None
    parameters: tuple[Parameter, ...] | None = None
    access: tuple[str, ...] | None = None
    least: tuple[int, ...] | None = None


@record
class Artifact:
    """One executable: what it is, what it requires, and what a container or a person claims about it.

    `name` is unique within what is being resolved. `target` is the declared target in the words of whoever declared it;
    `requires` was derived from the bytes (and from declarations that bytes cannot carry, such as a subgroup size). A higher
    `preference` wins between variants that run equally natively.
    """

    name: str
    format: str
    digest: str
    requires: tuple[Requirement, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    target: str | None = None
    preference: int = 0
    size: int = 0
