"""OpenCL C: what the text of kernels says about them."""

from __future__ import annotations

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.match.unknowns import INCLUDES
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import AnyOf, NeedsExtension, NeedsFeature, NeedsFormat, NeedsSubgroupSize


def read(text: str) -> Artifact:
    (artifact,) = inspect(text.encode(), name="kernel.cl").artifacts
    return artifact


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("__kernel void k() {}", Kernel("k", None, 0, 0)),
        ("kernel void k(void) {}", Kernel("k", None, 0, 0)),
        ("__kernel void k(__global const float *x, __global float *y, float a, uint n) {}", Kernel("k", None, 2, 8)),
        ("__kernel void k(constant int *t, local float *s, global int *x) {}", Kernel("k", None, 2, 0)),
        ("kernel void k(char a, ulong b, const unsigned int c) {}", Kernel("k", None, 0, 20)),
        ("kernel void k(float3 v, char c) {}", Kernel("k", None, 0, 20)),
        ("kernel void k(global float *x, struct s y) {}", Kernel("k", None, None, None)),
        ("kernel __attribute__((reqd_work_group_size(8, 4, 1))) void k(global int *x) {}", Kernel("k", (8, 4, 1), 1, 0)),
        ("__attribute__((reqd_work_group_size(64, 1, 1)))\nkernel void k(global int *x) {}", Kernel("k", (64, 1, 1), 1, 0)),
        ("kernel void __attribute__((vec_type_hint(float4))) k(global int *x) {}", Kernel("k", None, 1, 0)),
        ("kernel void \\\n k(global int *x) /* , float y */ {}", Kernel("k", None, 1, 0)),
    ],
)
def test_a_kernel_has_the_parameters_of_its_text(text: str, kernel: Kernel) -> None:
    assert read(text).kernels == (kernel,)


def test_extensions_are_required_that_are_enabled_in_any_case() -> None:
    found = read("""
        #pragma OPENCL EXTENSION cl_khr_fp16 : enable
        #pragma OPENCL EXTENSION cl_khr_int64_base_atomics : disable
        #ifdef cl_khr_subgroups
        #pragma OPENCL EXTENSION cl_khr_subgroups : enable
        #endif
        __kernel void k(__global half *x) {}
    """)
    assert found.requires == (NeedsFormat("opencl-c"), NeedsExtension("cl_khr_fp16"))


def test_doubles_need_the_extension_or_the_feature_that_replaced_it() -> None:
    assert read("kernel void k(global double *x) {}").requires[1:] == (
        AnyOf((NeedsExtension("cl_khr_fp64"), NeedsFeature("__opencl_c_fp64"))),
    )
    assert read('kernel void k(global int *x) { /* double */ printf("double"); }').requires == (NeedsFormat("opencl-c"),)


def test_what_is_included_is_not_known() -> None:
    assert INCLUDES.requirement in read('#include "more.h"\nkernel void k(global int *x) {}').requires


def test_a_required_subgroup_size_is_a_requirement() -> None:
    found = read("__attribute__((intel_reqd_sub_group_size(16))) kernel void k(global int *x) {}")
    assert NeedsSubgroupSize(16) in found.requires
    assert found.kernels[0].subgroup_size == 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a kernel of truth",
        "/* __kernel void k() {} */",
        "kernel();",
        '"kernel void k() {}"',
        "__kernel int k() {}",
        "kernel",
    ],
)
def test_other_text_is_not_opencl_c(text: str) -> None:
    assert identify(text.encode()) != "opencl-c"


def test_metal_is_not_taken_for_opencl() -> None:
    assert identify(b"#include <metal_stdlib>\nkernel void k(device float *x [[buffer(0)]]) {}") == "msl"


@pytest.mark.parametrize(
    "hostile",
    [
        "__kernel " * 50_000,
        "kernel void f(" + "(" * 100_000,
        "kernel void a(" * 20_000,
        "/*" * 100_000 + "kernel void k() {}",
        'kernel "' * 50_000,
        "kernel __attribute__((((((" * 20_000,
        "kernel void k(" + "int a," * 50_000,
    ],
)
def test_text_that_is_made_to_be_slow_is_read_in_bounded_steps(hostile: str) -> None:
    data = hostile.encode()
    if identify(data) == "opencl-c":
        assert len(inspect(data, name="hostile.cl").artifacts) == 1
