"""Our struct layouts against a C compiler's, for every struct of the registry.

The header is made by the registry's own generator (it comes with vulkan-object) from the vk.xml that the tables were made from;
the types that vk.xml takes from other headers are declared here by hand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from targetenv.registry import vulkan_abi

pytestmark = pytest.mark.differential

# What windows.h (Win64), X11, xcb, zircon, ggp, QNX, Wayland, DirectFB and Ubm say these are.
FOREIGN = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#define VKAPI_PTR
#define VKAPI_CALL
#define VKAPI_ATTR
typedef void *HANDLE, *HINSTANCE, *HWND, *HMONITOR; typedef const uint16_t *LPCWSTR; typedef uint32_t DWORD;
typedef struct SECURITY_ATTRIBUTES SECURITY_ATTRIBUTES;
typedef struct Display Display; typedef unsigned long Window, VisualID, RROutput;
typedef struct xcb_connection_t xcb_connection_t; typedef uint32_t xcb_window_t, xcb_visualid_t;
typedef uint32_t zx_handle_t, GgpStreamDescriptor; typedef uint64_t GgpFrameToken;
typedef struct IDirectFB IDirectFB; typedef struct IDirectFBSurface IDirectFBSurface;
struct wl_display; struct wl_surface; struct _screen_context; struct _screen_window; struct _screen_buffer;
struct ubm_device; struct ubm_surface; typedef struct ubm_device ubm_device; typedef struct ubm_surface ubm_surface;
"""


def _header(folder: Path) -> str:
    from vulkan_object import cgenerator, reg, vkconventions

    path = Path(sys.modules["vulkan_object"].__file__ or "").with_name("vk.xml")
    root = ET.parse(path)
    extensions = [
        element.get("name", "")
        for element in root.findall("extensions/extension")
        if "vulkan" in element.get("supported", "").split(",")
    ]
    options = cgenerator.CGeneratorOptions(
        conventions=vkconventions.VulkanConventions(),
        filename="vulkan.h",
        directory=str(folder),
        apiname="vulkan",
        versions=".*",
        emitversions=".*",
        addExtensions="|".join(extensions),
        emitExtensions="|".join(f"^{name}$" for name in extensions),
        apientryp="VKAPI_PTR *",
        protectFile=False,
        protectFeature=False,
    )
    with Path(os.devnull).open("w") as nowhere:
        registry = reg.Registry(cgenerator.COutputGenerator(errFile=sys.stderr, warnFile=nowhere, diagFile=None), options)
        registry.loadElementTree(root)
        registry.apiGen()
    return re.sub(r"#include .*", "", (folder / "vulkan.h").read_text())


def _video(header: str) -> str:
    """The StdVideo types: those that are members by value are enumerations, the others are used through pointers only."""
    names = set(re.findall(r"\bStdVideo\w+", header))
    by_value = set(re.findall(r"^ +(StdVideo\w+) +\w+;", header, re.MULTILINE))
    return "\n".join(f"typedef {'int' if name in by_value else f'struct {name}'} {name};" for name in sorted(names))


def test_every_struct_lies_in_memory_as_the_c_compiler_lays_it(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    pytest.importorskip("vulkan_object", reason="vulkan-object is not installed")
    header = _header(tmp_path)
    lines = []
    for name in vulkan_abi.structs():
        layout = vulkan_abi.layout(name)
        lines.append(f'printf("{name} %zu %zu", sizeof({name}), _Alignof({name}));')
        for field in layout.fields:
            if field.bits is None:
                member = f"{name}, {field.name}"
                lines.append(f'printf(" %zu:%zu", offsetof({member}), sizeof((({name}*)0)->{field.name}));')
        lines.append('puts("");')
    source = tmp_path / "layouts.c"
    source.write_text(f"{FOREIGN}\n{_video(header)}\n{header}\nint main(void) {{\n{os.linesep.join(lines)}\nreturn 0; }}\n")
    program = tmp_path / "layouts"
    built = subprocess.run([compiler, "-std=gnu11", "-w", "-o", program, source], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[:4000]
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = []
    for name in vulkan_abi.structs():
        layout = vulkan_abi.layout(name)
        fields = "".join(f" {field.offset}:{field.size}" for field in layout.fields if field.bits is None)
        ours.append(f"{name} {layout.size} {layout.alignment}{fields}")
    theirs = set(printed)
    assert [row for row in ours if row not in theirs] == []
    assert len(printed) == len(ours) > 1400
