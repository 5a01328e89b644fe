// What Vulkan itself costs: the loop that a C programmer would write, without any runtime in between. One device, one queue, one
// prerecorded command buffer of `count` dispatches with a barrier after each, submitted and waited for by a timeline semaphore.
// Declares the little of vulkan_core.h that it uses, so that it builds where only the loader is installed.
//
//     cc -O2 -shared -fPIC vulkan_floor.c -o vulkan_floor.so -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void *Handle;      // dispatchable
typedef uint64_t Object;   // non-dispatchable
typedef uint64_t Bytes;

struct Application { uint32_t type; const void *next; const char *name; uint32_t version; const char *engine; uint32_t engine_version, api; };
struct InstanceInfo { uint32_t type; const void *next; uint32_t flags; const struct Application *application; uint32_t layers; const char *const *layer_names; uint32_t extensions; const char *const *extension_names; };
struct QueueInfo { uint32_t type; const void *next; uint32_t flags, family, count; const float *priorities; };
struct Timeline { uint32_t type; void *next; uint32_t enabled; };
struct DeviceInfo { uint32_t type; const void *next; uint32_t flags, queues; const struct QueueInfo *queue; uint32_t layers; const char *const *layer_names; uint32_t extensions; const char *const *extension_names; const void *features; };
struct QueueFamily { uint32_t flags, count, timestamp_bits, granularity[3]; };
struct MemoryTypes { uint32_t type_count; struct { uint32_t flags, heap; } types[32]; uint32_t heap_count; struct { Bytes size; uint32_t flags; } heaps[16]; };
struct BufferInfo { uint32_t type; const void *next; uint32_t flags; Bytes size; uint32_t usage, sharing, families; const uint32_t *family; };
struct Requirements { Bytes size, alignment; uint32_t types; };
struct AllocateInfo { uint32_t type; const void *next; Bytes size; uint32_t memory_type; };
struct ModuleInfo { uint32_t type; const void *next; uint32_t flags; size_t size; const uint32_t *code; };
struct LayoutBinding { uint32_t binding, kind, count, stages; const Object *samplers; };
struct SetLayoutInfo { uint32_t type; const void *next; uint32_t flags, count; const struct LayoutBinding *bindings; };
struct PushRange { uint32_t stages, offset, size; };
struct LayoutInfo { uint32_t type; const void *next; uint32_t flags, sets; const Object *set; uint32_t ranges; const struct PushRange *range; };
struct StageInfo { uint32_t type; const void *next; uint32_t flags, stage; Object module; const char *name; const void *specialization; };
struct PipelineInfo { uint32_t type; const void *next; uint32_t flags; struct StageInfo stage; Object layout, base; int32_t base_index; };
struct PoolSize { uint32_t kind, count; };
struct PoolInfo { uint32_t type; const void *next; uint32_t flags, sets, sizes; const struct PoolSize *size; };
struct SetInfo { uint32_t type; const void *next; Object pool; uint32_t count; const Object *layouts; };
struct BufferPart { Object buffer; Bytes offset, range; };
struct Write { uint32_t type; const void *next; Object set; uint32_t binding, element, count, kind; const void *image; const struct BufferPart *buffer; const void *view; };
struct CommandPoolInfo { uint32_t type; const void *next; uint32_t flags, family; };
struct CommandInfo { uint32_t type; const void *next; Object pool; uint32_t level, count; };
struct BeginInfo { uint32_t type; const void *next; uint32_t flags; const void *inheritance; };
struct Barrier { uint32_t type; const void *next; uint32_t from, to; };
struct SemaphoreKind { uint32_t type; const void *next; uint32_t kind; uint64_t value; };
struct SemaphoreInfo { uint32_t type; const void *next; uint32_t flags; };
struct TimelineSubmit { uint32_t type; const void *next; uint32_t waits; const uint64_t *wait; uint32_t signals; const uint64_t *signal; };
struct Submit { uint32_t type; const void *next; uint32_t waits; const Object *wait; const uint32_t *stages; uint32_t buffers; const Handle *buffer; uint32_t signals; const Object *signal; };
struct WaitInfo { uint32_t type; const void *next; uint32_t flags, count; const Object *semaphores; const uint64_t *values; };

#define FUNCTIONS(X)                                                                                                        \
  X(EnumeratePhysicalDevices, int, (Handle, uint32_t *, Handle *))                                                          \
  X(GetPhysicalDeviceQueueFamilyProperties, void, (Handle, uint32_t *, struct QueueFamily *))                               \
  X(GetPhysicalDeviceMemoryProperties, void, (Handle, struct MemoryTypes *))                                                \
  X(CreateDevice, int, (Handle, const struct DeviceInfo *, const void *, Handle *))                                         \
  X(GetDeviceQueue, void, (Handle, uint32_t, uint32_t, Handle *))                                                           \
  X(CreateBuffer, int, (Handle, const struct BufferInfo *, const void *, Object *))                                         \
  X(GetBufferMemoryRequirements, void, (Handle, Object, struct Requirements *))                                             \
  X(AllocateMemory, int, (Handle, const struct AllocateInfo *, const void *, Object *))                                     \
  X(BindBufferMemory, int, (Handle, Object, Object, Bytes))                                                                 \
  X(MapMemory, int, (Handle, Object, Bytes, Bytes, uint32_t, void **))                                                      \
  X(CreateShaderModule, int, (Handle, const struct ModuleInfo *, const void *, Object *))                                   \
  X(CreateDescriptorSetLayout, int, (Handle, const struct SetLayoutInfo *, const void *, Object *))                         \
  X(CreatePipelineLayout, int, (Handle, const struct LayoutInfo *, const void *, Object *))                                 \
  X(CreateComputePipelines, int, (Handle, Object, uint32_t, const struct PipelineInfo *, const void *, Object *))           \
  X(CreateDescriptorPool, int, (Handle, const struct PoolInfo *, const void *, Object *))                                   \
  X(AllocateDescriptorSets, int, (Handle, const struct SetInfo *, Object *))                                                \
  X(UpdateDescriptorSets, void, (Handle, uint32_t, const struct Write *, uint32_t, const void *))                           \
  X(CreateCommandPool, int, (Handle, const struct CommandPoolInfo *, const void *, Object *))                               \
  X(AllocateCommandBuffers, int, (Handle, const struct CommandInfo *, Handle *))                                            \
  X(BeginCommandBuffer, int, (Handle, const struct BeginInfo *))                                                            \
  X(EndCommandBuffer, int, (Handle))                                                                                        \
  X(CmdBindPipeline, void, (Handle, uint32_t, Object))                                                                      \
  X(CmdBindDescriptorSets, void, (Handle, uint32_t, Object, uint32_t, uint32_t, const Object *, uint32_t, const uint32_t *)) \
  X(CmdPushConstants, void, (Handle, Object, uint32_t, uint32_t, uint32_t, const void *))                                   \
  X(CmdDispatch, void, (Handle, uint32_t, uint32_t, uint32_t))                                                              \
  X(CmdPipelineBarrier, void, (Handle, uint32_t, uint32_t, uint32_t, uint32_t, const struct Barrier *, uint32_t, const void *, uint32_t, const void *)) \
  X(CreateSemaphore, int, (Handle, const struct SemaphoreInfo *, const void *, Object *))                                   \
  X(QueueSubmit, int, (Handle, uint32_t, const struct Submit *, Object))                                                    \
  X(WaitSemaphores, int, (Handle, const struct WaitInfo *, uint64_t))                                                       \
  X(DeviceWaitIdle, int, (Handle))                                                                                          \
  X(DestroyDevice, void, (Handle, const void *))                                                                            \
  X(DestroyInstance, void, (Handle, const void *))

struct Floor {
  Handle instance, device, queue, commands;
  Object set, set_layout, layout, pipeline, semaphore, buffers[2], memory[2];
  float *mapped[2];
  uint64_t value;
  uint32_t count, elements;
#define MEMBER(name, returns, parameters) returns(*name) parameters;
  FUNCTIONS(MEMBER)
};

enum { COMPUTE = 1, STORAGE_BUFFER = 7, STAGE_COMPUTE = 0x20, STAGE_COMPUTE_SHADER = 0x800, SHADER_READ = 0x20, SHADER_WRITE = 0x40 };

static int record(struct Floor *f) {
  const struct { float a; uint32_t n; } constants = {0.0f, f->elements};
  const struct BeginInfo begin = {42, NULL, 0, NULL};
  int bad = f->BeginCommandBuffer(f->commands, &begin);
  f->CmdBindPipeline(f->commands, COMPUTE, f->pipeline);
  f->CmdBindDescriptorSets(f->commands, COMPUTE, f->layout, 0, 1, &f->set, 0, NULL);
  f->CmdPushConstants(f->commands, f->layout, STAGE_COMPUTE, 0, sizeof constants, &constants);
  const struct Barrier barrier = {46, NULL, SHADER_WRITE, SHADER_READ | SHADER_WRITE};
  for (uint32_t i = 0; i < f->count; ++i) {
    if (i) f->CmdPipelineBarrier(f->commands, STAGE_COMPUTE_SHADER, STAGE_COMPUTE_SHADER, 0, 1, &barrier, 0, NULL, 0, NULL);
    f->CmdDispatch(f->commands, (f->elements + 63) / 64, 1, 1);
  }
  return bad | f->EndCommandBuffer(f->commands);
}

// One device, and `count` dispatches of a saxpy over `elements` floats in one command buffer. NULL when anything fails.
struct Floor *floor_open(const uint32_t *code, size_t size, uint32_t which, uint32_t count, uint32_t elements) {
  void *library = dlopen("libvulkan.so.1", RTLD_NOW);
  if (!library) return NULL;
  void *(*lookup)(Handle, const char *) = (void *(*)(Handle, const char *))dlsym(library, "vkGetInstanceProcAddr");
  int (*create)(const struct InstanceInfo *, const void *, Handle *) =
      (int (*)(const struct InstanceInfo *, const void *, Handle *))lookup(NULL, "vkCreateInstance");
  struct Floor *f = calloc(1, sizeof *f);
  f->count = count;
  f->elements = elements;
  const struct Application application = {0, NULL, "floor", 0, NULL, 0, 1u << 22 | 2u << 12};
  const struct InstanceInfo instance = {1, NULL, 0, &application, 0, NULL, 0, NULL};
  if (create(&instance, NULL, &f->instance)) return NULL;
#define LOAD(name, returns, parameters) f->name = (returns(*) parameters)lookup(f->instance, "vk" #name);
  FUNCTIONS(LOAD)
  Handle physical[16];
  uint32_t devices = 16;
  f->EnumeratePhysicalDevices(f->instance, &devices, physical);
  if (which >= devices) return NULL;
  struct QueueFamily families[16];
  uint32_t family_count = 16, family = 0;
  f->GetPhysicalDeviceQueueFamilyProperties(physical[which], &family_count, families);
  while (family < family_count && !(families[family].flags & 2)) ++family;
  const float priority = 1;
  const struct QueueInfo queue = {2, NULL, 0, family, 1, &priority};
  struct Timeline timeline = {1000207000, NULL, 1};
  const struct DeviceInfo device = {3, &timeline, 0, 1, &queue, 0, NULL, 0, NULL, NULL};
  if (f->CreateDevice(physical[which], &device, NULL, &f->device)) return NULL;
  // Straight to the driver, without the loader's trampoline, as every runtime does.
  void *(*device_lookup)(Handle, const char *) = (void *(*)(Handle, const char *))lookup(f->instance, "vkGetDeviceProcAddr");
#define DIRECT(name, returns, parameters) \
  if (device_lookup(f->device, "vk" #name)) f->name = (returns(*) parameters)device_lookup(f->device, "vk" #name);
  FUNCTIONS(DIRECT)
  f->GetDeviceQueue(f->device, family, 0, &f->queue);

  struct MemoryTypes types;
  f->GetPhysicalDeviceMemoryProperties(physical[which], &types);
  int bad = 0;
  for (int i = 0; i < 2; ++i) {
    const struct BufferInfo info = {12, NULL, 0, elements * sizeof(float), 0x20, 0, 0, NULL};
    struct Requirements needs;
    bad |= f->CreateBuffer(f->device, &info, NULL, &f->buffers[i]);
    f->GetBufferMemoryRequirements(f->device, f->buffers[i], &needs);
    uint32_t type = 0;  // host-visible and coherent
    while (type < types.type_count && (!(needs.types >> type & 1) || (types.types[type].flags & 6) != 6)) ++type;
    const struct AllocateInfo allocate = {5, NULL, needs.size, type};
    bad |= f->AllocateMemory(f->device, &allocate, NULL, &f->memory[i]);
    bad |= f->BindBufferMemory(f->device, f->buffers[i], f->memory[i], 0);
    bad |= f->MapMemory(f->device, f->memory[i], 0, ~(Bytes)0, 0, (void **)&f->mapped[i]);
    if (!bad) memset(f->mapped[i], 0, elements * sizeof(float));
  }
  const struct ModuleInfo code_info = {16, NULL, 0, size, code};
  Object module;
  bad |= f->CreateShaderModule(f->device, &code_info, NULL, &module);
  const struct LayoutBinding bindings[2] = {{0, STORAGE_BUFFER, 1, STAGE_COMPUTE, NULL}, {1, STORAGE_BUFFER, 1, STAGE_COMPUTE, NULL}};
  const struct SetLayoutInfo set_layout = {32, NULL, 0, 2, bindings};
  bad |= f->CreateDescriptorSetLayout(f->device, &set_layout, NULL, &f->set_layout);
  const struct PushRange range = {STAGE_COMPUTE, 0, 8};
  const struct LayoutInfo layout = {30, NULL, 0, 1, &f->set_layout, 1, &range};
  bad |= f->CreatePipelineLayout(f->device, &layout, NULL, &f->layout);
  const struct PipelineInfo pipeline = {29, NULL, 0, {18, NULL, 0, STAGE_COMPUTE, module, "main", NULL}, f->layout, 0, -1};
  bad |= f->CreateComputePipelines(f->device, 0, 1, &pipeline, NULL, &f->pipeline);
  const struct PoolSize size_of_pool = {STORAGE_BUFFER, 2};
  const struct PoolInfo pool_info = {33, NULL, 0, 1, 1, &size_of_pool};
  Object pool;
  bad |= f->CreateDescriptorPool(f->device, &pool_info, NULL, &pool);
  const struct SetInfo set = {34, NULL, pool, 1, &f->set_layout};
  bad |= f->AllocateDescriptorSets(f->device, &set, &f->set);
  for (uint32_t i = 0; i < 2 && !bad; ++i) {
    const struct BufferPart part = {f->buffers[i], 0, ~(Bytes)0};
    const struct Write write = {35, NULL, f->set, i, 0, 1, STORAGE_BUFFER, NULL, &part, NULL};
    f->UpdateDescriptorSets(f->device, 1, &write, 0, NULL);
  }
  const struct CommandPoolInfo command_pool = {39, NULL, 2, family};
  Object commands;
  bad |= f->CreateCommandPool(f->device, &command_pool, NULL, &commands);
  const struct CommandInfo command = {40, NULL, commands, 0, 1};
  bad |= f->AllocateCommandBuffers(f->device, &command, &f->commands);
  const struct SemaphoreKind kind = {1000207002, NULL, 1, 0};
  const struct SemaphoreInfo semaphore = {9, &kind, 0};
  bad |= f->CreateSemaphore(f->device, &semaphore, NULL, &f->semaphore);
  bad |= record(f);
  return bad ? NULL : f;
}

// Submit and wait, `rounds` times, one after the other; 0 when all went well.
int floor_run(struct Floor *f, uint32_t rounds) {
  for (uint32_t i = 0; i < rounds; ++i) {
    const uint64_t value = ++f->value;
    const struct TimelineSubmit timeline = {1000207003, NULL, 0, NULL, 1, &value};
    const struct Submit submit = {4, &timeline, 0, NULL, NULL, 1, &f->commands, 1, &f->semaphore};
    const struct WaitInfo wait = {1000207004, NULL, 0, 1, &f->semaphore, &value};
    int bad = f->QueueSubmit(f->queue, 1, &submit, 0);
    if (bad || (bad = f->WaitSemaphores(f->device, &wait, ~(uint64_t)0))) return bad;
  }
  return 0;
}

// Record the whole command buffer anew, `rounds` times.
int floor_record(struct Floor *f, uint32_t rounds) {
  for (uint32_t i = 0; i < rounds; ++i)
    if (record(f)) return 1;
  return 0;
}

void floor_close(struct Floor *f) {
  f->DeviceWaitIdle(f->device);
  f->DestroyDevice(f->device, NULL);
  f->DestroyInstance(f->instance, NULL);
  free(f);
}
