/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a CPU kernel is to targetenv: a function of a shared object that computes one workgroup of a grid.
 *
 *     #include <targetenv/kernel.h>
 *
 *     TARGETENV_WORKGROUP_SIZE(scale, 4096, 1, 1)
 *     TARGETENV_KERNEL(scale) {
 *       const float a = targetenv_constant_f32(dispatch, 0);
 *       const uint32_t n = targetenv_constant_u32(dispatch, 1);
 *       float *x = (float *)targetenv_binding(dispatch, 0);
 *       uint64_t begin = (uint64_t)workgroup->id_x * 4096, end = begin + 4096;
 *       for (uint64_t i = begin; i < (end < n ? end : n); ++i) x[i] *= a;
 *       return 0;
 *     }
 *
 *     cc -O3 -march=x86-64-v3 -shared -fPIC -fvisibility=hidden -I INCLUDE scale.c -o scale.so
 *
 * where INCLUDE is what `targetenv_runtime.drivers.cpu.include_directory()` returns.
 *
 * The structures have the layout of IREE's executable library, versions 0.2 to 0.6 (iree/hal/local/executable_library.h),
 * so that one function serves both runtimes. docs/reference/cpu-kernel-abi.md is the reference. C11 or C++11; no dependency
 * beyond the two headers below; little-endian, 64-bit.
 */
#ifndef TARGETENV_KERNEL_H_
#define TARGETENV_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#define TARGETENV_KERNEL_ABI 0

#if defined(__GNUC__)
#define TARGETENV_VISIBLE_ __attribute__((visibility("default")))
#define TARGETENV_UNUSED_ __attribute__((unused))
#define TARGETENV_INLINE_ __attribute__((always_inline)) inline
#else
#define TARGETENV_VISIBLE_
#define TARGETENV_UNUSED_
#define TARGETENV_INLINE_ inline
#endif

#if defined(__cplusplus)
#define TARGETENV_EXTERN_ extern "C" TARGETENV_VISIBLE_
#define TARGETENV_STATIC_ASSERT_(condition, text) static_assert(condition, text)
extern "C" {
#else
#define TARGETENV_EXTERN_ extern TARGETENV_VISIBLE_
#define TARGETENV_STATIC_ASSERT_(condition, text) _Static_assert(condition, text)
#endif

/* Functions that a library may import from its host. targetenv offers none today: `import_funcs` is NULL. */
typedef int (*targetenv_import_t)(void *params, void *context, void *reserved);
typedef int (*targetenv_import_thunk_t)(targetenv_import_t function, void *params, void *context, void *reserved);

/* The processor, encoded per architecture as IREE does (iree/schemas/cpu_data.h); all zeros is "not said". */
typedef struct targetenv_processor_t {
  uint64_t data[8];
} targetenv_processor_t;

/* What holds for every dispatch of one loaded executable. */
typedef struct targetenv_environment_t {
  const uint32_t *constants; /* executable-level (specialization) constants, or NULL */
  targetenv_import_thunk_t import_thunk;
  const targetenv_import_t *import_funcs;
  const void **import_contexts;
  targetenv_processor_t processor;
} targetenv_environment_t;

/* What holds for every workgroup of one dispatch. */
typedef struct targetenv_dispatch_t {
  uint32_t workgroup_size_x; /* elements of the grid that one workgroup covers */
  uint32_t workgroup_size_y;
  uint16_t workgroup_size_z;
  uint16_t constant_count;    /* in 4-byte values */
  uint32_t workgroup_count_x; /* workgroups in the grid */
  uint32_t workgroup_count_y;
  uint16_t workgroup_count_z;
  uint8_t max_concurrency; /* about how many workgroups may run at the same time */
  uint8_t binding_count;
  const uint32_t *constants;
  void *const *binding_ptrs;
  const size_t *binding_lengths; /* in bytes */
  /* Here IREE's structure ends; what follows is read by range entries only, and only targetenv calls those. */
  void *local_memory; /* scratch of the thread that runs this range, reused by its workgroups one after the other */
  uint64_t local_memory_size;
} targetenv_dispatch_t;

/* Which workgroup this is. */
typedef struct targetenv_workgroup_t {
  uint32_t id_x;
  uint32_t id_y;
  uint16_t id_z;
  uint16_t reserved;
  uint32_t processor_id;
  void *local_memory; /* scratch of this workgroup, uninitialised; NULL when the kernel declares none */
  uint32_t local_memory_size;
} targetenv_workgroup_t;

TARGETENV_STATIC_ASSERT_(sizeof(targetenv_environment_t) == 96, "layout of environment v0");
TARGETENV_STATIC_ASSERT_(offsetof(targetenv_dispatch_t, workgroup_count_x) == 12, "layout of dispatch_state v0");
TARGETENV_STATIC_ASSERT_(offsetof(targetenv_dispatch_t, constants) == 24, "layout of dispatch_state v0");
TARGETENV_STATIC_ASSERT_(offsetof(targetenv_dispatch_t, local_memory) == 48, "layout of dispatch_state v0");
TARGETENV_STATIC_ASSERT_(sizeof(targetenv_dispatch_t) == 64, "one cache line");
TARGETENV_STATIC_ASSERT_(offsetof(targetenv_workgroup_t, local_memory) == 16, "layout of workgroup_state v0");
TARGETENV_STATIC_ASSERT_(sizeof(targetenv_workgroup_t) == 32, "layout of workgroup_state v0");

#if defined(__cplusplus)
}
#endif

/* Where binding `index` begins, and how many bytes it has. The index is below `dispatch->binding_count`. */
static inline void *targetenv_binding(const targetenv_dispatch_t *dispatch, unsigned index) {
  return dispatch->binding_ptrs[index];
}

static inline size_t targetenv_binding_size(const targetenv_dispatch_t *dispatch, unsigned index) {
  return dispatch->binding_lengths[index];
}

/* The 4-byte constant `index`, read as what it was written as. The index is below `dispatch->constant_count`. */
static inline uint32_t targetenv_constant_u32(const targetenv_dispatch_t *dispatch, unsigned index) {
  return dispatch->constants[index];
}

static inline int32_t targetenv_constant_i32(const targetenv_dispatch_t *dispatch, unsigned index) {
  return (int32_t)dispatch->constants[index];
}

static inline float targetenv_constant_f32(const targetenv_dispatch_t *dispatch, unsigned index) {
  float value;
  const unsigned char *from = (const unsigned char *)(dispatch->constants + index);
  unsigned char *to = (unsigned char *)&value;
  for (unsigned byte = 0; byte < sizeof value; ++byte) to[byte] = from[byte];
  return value;
}

/* States how many elements of the grid one workgroup of `name` covers: exported as `name__workgroup_size`, so that the file
 * itself says how a grid is to be divided. Without it the size is what the build config or the package says. */
#define TARGETENV_WORKGROUP_SIZE(name, x, y, z)           \
  TARGETENV_EXTERN_ const uint32_t name##__workgroup_size[3]; \
  const uint32_t name##__workgroup_size[3] = {(x), (y), (z)};

/* States how many bytes of `workgroup->local_memory` a workgroup of `name` needs: exported as `name__local_memory`. */
#define TARGETENV_LOCAL_MEMORY(name, bytes)         \
  TARGETENV_EXTERN_ const uint32_t name##__local_memory; \
  const uint32_t name##__local_memory = (bytes);

/* Begins the definition of kernel `name`; the body in braces follows. It sees `environment`, `dispatch` and `workgroup`, and
 * returns 0, or another number that fails the dispatch. Workgroups run in any order and at the same time.
 *
 * Two functions are exported: `name`, which computes one workgroup, and `name__range`, which computes the workgroups with
 * linear numbers first <= i < last (x fastest, then y, then z) and stops at the first that returns non-zero. */
#define TARGETENV_KERNEL(name)                                                                                                  \
  static int name##__body(const targetenv_environment_t *, const targetenv_dispatch_t *, const targetenv_workgroup_t *);       \
  TARGETENV_EXTERN_ int name(const targetenv_environment_t *, const targetenv_dispatch_t *, const targetenv_workgroup_t *);    \
  TARGETENV_EXTERN_ int name##__range(const targetenv_environment_t *, const targetenv_dispatch_t *, uint64_t, uint64_t);      \
  int name(const targetenv_environment_t *environment, const targetenv_dispatch_t *dispatch,                                    \
           const targetenv_workgroup_t *workgroup) {                                                                            \
    return name##__body(environment, dispatch, workgroup);                                                                      \
  }                                                                                                                             \
  int name##__range(const targetenv_environment_t *environment, const targetenv_dispatch_t *dispatch, uint64_t first,           \
                    uint64_t last) {                                                                                            \
    targetenv_workgroup_t workgroup = targetenv_workgroup_at_(dispatch, first);                                                 \
    for (; first < last; ++first) {                                                                                             \
      const int status = name##__body(environment, dispatch, &workgroup);                                                       \
      if (status != 0) return status;                                                                                           \
      if (++workgroup.id_x == dispatch->workgroup_count_x) {                                                                    \
        workgroup.id_x = 0;                                                                                                     \
        if (++workgroup.id_y == dispatch->workgroup_count_y) {                                                                  \
          workgroup.id_y = 0;                                                                                                   \
          ++workgroup.id_z;                                                                                                     \
        }                                                                                                                       \
      }                                                                                                                         \
    }                                                                                                                           \
    return 0;                                                                                                                   \
  }                                                                                                                             \
  static TARGETENV_INLINE_ int name##__body(TARGETENV_UNUSED_ const targetenv_environment_t *environment,                       \
                                            TARGETENV_UNUSED_ const targetenv_dispatch_t *dispatch,                             \
                                            TARGETENV_UNUSED_ const targetenv_workgroup_t *workgroup)

/* The workgroup with this linear number; a grid with no workgroups has none, and nothing is divided then. */
static inline targetenv_workgroup_t targetenv_workgroup_at_(const targetenv_dispatch_t *dispatch, uint64_t number) {
  targetenv_workgroup_t workgroup = {0, 0, 0, 0, 0, dispatch->local_memory, (uint32_t)dispatch->local_memory_size};
  if (number != 0 && dispatch->workgroup_count_x != 0 && dispatch->workgroup_count_y != 0) {
    const uint64_t row = number / dispatch->workgroup_count_x;
    workgroup.id_x = (uint32_t)(number % dispatch->workgroup_count_x);
    workgroup.id_y = (uint32_t)(row % dispatch->workgroup_count_y);
    workgroup.id_z = (uint16_t)(row / dispatch->workgroup_count_y);
  }
  return workgroup;
}

#endif /* TARGETENV_KERNEL_H_ */
