"""Reading and writing files in queue order. Files are opened at the call; bytes move in a thread of the device's."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod

from targetenv_runtime.commands import check
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.deferral import Completion
    from targetenv_runtime.ownership import Ownership

_CHUNK = 4 << 20  # bytes that are staged at once where the host cannot see the memory

_CODES = {
    errno.ENOENT: Code.NOT_FOUND,
    errno.ENOTDIR: Code.NOT_FOUND,
    errno.EACCES: Code.PERMISSION_DENIED,
    errno.EPERM: Code.PERMISSION_DENIED,
    errno.EROFS: Code.PERMISSION_DENIED,
    errno.ENOSPC: Code.RESOURCE_EXHAUSTED,
    errno.EDQUOT: Code.RESOURCE_EXHAUSTED,
    errno.ENOMEM: Code.RESOURCE_EXHAUSTED,
    errno.EMFILE: Code.RESOURCE_EXHAUSTED,
    errno.ENFILE: Code.RESOURCE_EXHAUSTED,
    errno.EFBIG: Code.OUT_OF_RANGE,
    errno.EISDIR: Code.INVALID_ARGUMENT,
    errno.EINVAL: Code.INVALID_ARGUMENT,
    errno.EBADF: Code.INVALID_ARGUMENT,
    errno.ESPIPE: Code.INVALID_ARGUMENT,
    errno.EEXIST: Code.ALREADY_EXISTS,
    errno.EIO: Code.DATA_LOSS,
}


def refused(error: OSError, doing: str) -> HalError:
    """What the system says, as one of the canonical codes."""
    number = error.errno or 0
    name = errno.errorcode.get(number, "OSError")
    text = os.strerror(number) if number else str(error)
    return HalError(_CODES.get(number, Code.UNKNOWN), f"{doing}: {text}", native=(number, name))


class _Transfer(ABC):
    """One range of memory and one range of a file. `begin` is a deferred call."""

    flags: int
    doing: str

    def __init__(
        self,
        file: str | PathLike[str] | int | bytes | bytearray | memoryview,
        offset: int,
        ref: BufferRef,
        owner: Ownership,
    ) -> None:
        self.descriptor = -1
        check(owner, ref)
        if offset < 0:
            raise HalError(Code.OUT_OF_RANGE, f"a file has no byte {offset}")
        self.ref = ref
        self.owner = owner
        self.offset = offset
        self.memory: memoryview | None = None
        if isinstance(file, int):
            self.name = f"descriptor {file}"
            self.descriptor = self._opened(lambda: os.dup(file))
        elif isinstance(file, str) or hasattr(file, "__fspath__"):
            path = os.fspath(file)
            self.name = f"`{os.fsdecode(path)}`"
            self.descriptor = self._opened(lambda: os.open(path, self.flags | os.O_CLOEXEC, 0o666))
        else:
            self.name = "bytes"
            self.memory = memoryview(file).cast("B")
            self._check_memory(self.memory)

    def _opened(self, opening: object) -> int:
        try:
            descriptor: int = opening()  # type: ignore[operator]  # a function without arguments
        except OSError as error:
            raise refused(error, f"cannot {self.doing} {self.name}") from error
        return descriptor

    def _check_memory(self, memory: memoryview) -> None:
        if self.offset + self.ref.length > len(memory):
            raise HalError(
                Code.OUT_OF_RANGE,
                f"{self.ref.length} bytes from byte {self.offset} on are more than the {len(memory)} that there are",
            )

    def begin(self, completion: Completion) -> None:
        """Have it done; the completion is told."""
        self.owner.worker.post(lambda: self._run(completion))

    def _run(self, completion: Completion) -> None:
        try:
            self._move()
        except HalError as error:
            completion.fail(error)
        except OSError as error:
            completion.fail(refused(error, f"cannot {self.doing} {self.name}"))
        else:
            completion.done()

    def _move(self) -> None:
        """Move everything, directly where the host sees the memory, else through memory that both see."""
        buffer, at, end = self.ref.buffer, self.ref.offset, self.ref.offset + self.ref.length
        buffer.require_live()
        allocation = buffer.allocation
        if allocation.view is not None:
            self.chunk(allocation.view[at:end], self.offset)
            return
        from targetenv_runtime.queue import copy_now  # queues are made of files

        staging = self.owner.allocate(min(_CHUNK, self.ref.length), "host")
        view = staging.allocation.view
        assert view is not None, "host memory is the host's"
        while at < end:
            size = min(staging.size, end - at)
            here = self.offset + at - self.ref.offset
            if isinstance(self, Target):
                copy_now(self.owner, buffer[at : at + size], staging[:size])
                self.chunk(view[:size], here)
            else:
                self.chunk(view[:size], here)
                copy_now(self.owner, staging[:size], buffer[at : at + size])
            at += size

    @abstractmethod
    def chunk(self, view: memoryview, offset: int) -> None:
        """Move these bytes."""

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class Source(_Transfer):
    """A file that is read."""

    flags = os.O_RDONLY
    doing = "read"

    def chunk(self, view: memoryview, offset: int) -> None:
        if self.memory is not None:
            view[:] = self.memory[offset : offset + len(view)]
            return
        done = 0
        while done < len(view):
            count = os.preadv(self.descriptor, [view[done:]], offset + done)
            if not count:
                raise HalError(
                    Code.OUT_OF_RANGE,
                    f"{self.name} ends {len(view) - done} bytes too early for a read up to {offset + len(view)}",
                )
            done += count


class Target(_Transfer):
    """A file that is written."""

    flags = os.O_WRONLY | os.O_CREAT
    doing = "write"

    def _check_memory(self, memory: memoryview) -> None:
        super()._check_memory(memory)
        if memory.readonly:
            raise HalError(Code.PERMISSION_DENIED, "these bytes cannot be written")

    def chunk(self, view: memoryview, offset: int) -> None:
        if self.memory is not None:
            self.memory[offset : offset + len(view)] = view
            return
        done = 0
        while done < len(view):
            done += os.pwritev(self.descriptor, [view[done:]], offset + done)
