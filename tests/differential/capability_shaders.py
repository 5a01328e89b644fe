"""Small shaders, one for each SPIR-V capability that glslang can be made to emit."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Shader:
    """GLSL for one capability: `stage` is what glslang calls it, `environment` the first Vulkan that has it."""

    capability: str
    stage: str
    environment: str
    source: str


INT8, INT16, INT64, FLOAT16 = (
    f"GL_EXT_shader_explicit_arithmetic_types_{name}" for name in ("int8", "int16", "int64", "float16")
)
BITS8, BITS16 = "GL_EXT_shader_8bit_storage", "GL_EXT_shader_16bit_storage"
BUFFER = "layout(set=0,binding=0) buffer B { float x[]; } b;"
NONUNIFORM = "GL_EXT_nonuniform_qualifier"


def compute(
    capability: str, main: str, *lines: str, extensions: tuple[str, ...] = (), environment: str = "1.0", stage: str = "comp"
) -> Shader:
    """A shader of these declarations; in compute shaders there is a buffer `b` of floats `x`, and nothing before it."""
    head = ["#version 460", *(f"#extension {name} : require" for name in extensions)]
    body = [*((BUFFER,) if stage == "comp" else ()), *lines, f"void main() {{ {main} }}", ""]
    return Shader(capability, stage, environment, "\n".join([*head, *body]))


def fragment(capability: str, main: str, *lines: str, extensions: tuple[str, ...] = (), environment: str = "1.0") -> Shader:
    """A fragment shader with an output `o`."""
    out = "layout(location=0) out vec4 o;"
    return compute(capability, main, out, *lines, extensions=extensions, environment=environment, stage="frag")


def subgroup(capability: str, name: str, expression: str) -> Shader:
    """One subgroup operation on a float."""
    return compute(capability, f"b.x[0] = {expression};", extensions=(f"GL_KHR_shader_subgroup_{name}",), environment="1.1")


def stored(capability: str, width: int, declaration: str) -> Shader:
    """A narrow number that is read from somewhere."""
    narrow = {8: ("int8_t", INT8, BITS8), 16: ("float16_t", FLOAT16, BITS16)}[width]
    line = declaration.replace("TYPE", narrow[0])
    return compute(capability, "b.x[0] = float(p.n);", line, extensions=(narrow[2], narrow[1]), environment="1.1")


def indexed(capability: str, declaration: str, expression: str, *, nonuniform: bool) -> Shader:
    """An array of descriptors with an index that is not a constant."""
    index = "nonuniformEXT(int(b.x[1]))" if nonuniform else "int(b.x[1])"
    text = f"b.x[0] = {expression.replace('INDEX', index)};"
    return compute(capability, text, declaration, extensions=(NONUNIFORM,), environment="1.2")


def atomic(capability: str, type_name: str, operation: str, extension: str) -> Shader:
    """A floating-point atomic in a buffer."""
    line = f"layout(set=0,binding=1) buffer A {{ {type_name} a; }} a;"
    needed = {"double": (), "float": (), "float16_t": (BITS16, FLOAT16)}[type_name]
    main = f"b.x[0] = float({operation}(a.a, {type_name}(1.0)));"
    return compute(capability, main, line, extensions=(*needed, extension), environment="1.2")


FLOAT_ATOMICS, FLOAT_ATOMICS2 = "GL_EXT_shader_atomic_float", "GL_EXT_shader_atomic_float2"
COOPERATIVE = "fcoopmatNV<16, gl_ScopeSubgroup, 16, 8> m = fcoopmatNV<16, gl_ScopeSubgroup, 16, 8>(1.0); b.x[0] = float(m[0]);"
TRIANGLES = "layout(triangles) in; layout(triangle_strip, max_vertices=3) out;"
PATCHES = "layout(vertices=3) out;"
QUERY = (
    "layout(set=0,binding=1) uniform accelerationStructureEXT s;",
    "rayQueryEXT q;",
)
TRACE = "rayQueryInitializeEXT(q, s, 0u, 255u, vec3(0), 0.0, vec3(1), 1.0); rayQueryProceedEXT(q);"
INTERLOCK = "beginInvocationInterlockARB(); o = vec4(1); endInvocationInterlockARB();"
SHARED_BLOCK = "shared S {{ {type} s; }} s;"

SHADERS: tuple[Shader, ...] = (
    compute("Shader", "b.x[0] += 1.0;"),
    compute("Float64", "b.x[0] = float(double(b.x[1]) * 2.0lf);"),
    compute("Int64", "b.x[0] = float(int64_t(b.x[1]) * 2l);", extensions=(INT64,)),
    compute("Int16", "b.x[0] = float(int16_t(b.x[1]) * 2s);", extensions=(INT16,)),
    compute("Int8", "b.x[0] = float(int8_t(b.x[1]) * int8_t(2));", extensions=(INT8,), environment="1.1"),
    compute("Float16", "b.x[0] = float(float16_t(b.x[1]) * 2.0hf);", extensions=(FLOAT16,), environment="1.1"),
    compute(
        "Int64Atomics",
        "atomicAdd(s, 1ul); b.x[0] = float(s);",
        "shared uint64_t s;",
        extensions=(INT64, "GL_EXT_shader_atomic_int64"),
        environment="1.2",
    ),
    stored("StorageBuffer16BitAccess", 16, "layout(set=0,binding=1) buffer P { TYPE n; } p;"),
    stored("UniformAndStorageBuffer16BitAccess", 16, "layout(set=0,binding=1) uniform P { TYPE n; } p;"),
    stored("StoragePushConstant16", 16, "layout(push_constant) uniform P { TYPE n; } p;"),
    stored("StorageBuffer8BitAccess", 8, "layout(set=0,binding=1) buffer P { TYPE n; } p;"),
    stored("UniformAndStorageBuffer8BitAccess", 8, "layout(set=0,binding=1) uniform P { TYPE n; } p;"),
    stored("StoragePushConstant8", 8, "layout(push_constant) uniform P { TYPE n; } p;"),
    fragment(
        "StorageInputOutput16",
        "o = vec4(float(i));",
        "layout(location=0) in float16_t i;",
        extensions=(BITS16, FLOAT16),
        environment="1.1",
    ),
    subgroup("GroupNonUniform", "basic", "subgroupElect() ? 1.0 : 0.0"),
    subgroup("GroupNonUniformVote", "vote", "subgroupAll(b.x[1] > 0.0) ? 1.0 : 0.0"),
    subgroup("GroupNonUniformArithmetic", "arithmetic", "subgroupAdd(b.x[1])"),
    subgroup("GroupNonUniformBallot", "ballot", "subgroupBroadcastFirst(b.x[1])"),
    subgroup("GroupNonUniformShuffle", "shuffle", "subgroupShuffle(b.x[1], 1)"),
    subgroup("GroupNonUniformShuffleRelative", "shuffle_relative", "subgroupShuffleUp(b.x[1], 1)"),
    subgroup("GroupNonUniformClustered", "clustered", "subgroupClusteredAdd(b.x[1], 4)"),
    subgroup("GroupNonUniformQuad", "quad", "subgroupQuadSwapHorizontal(b.x[1])"),
    compute(
        "GroupNonUniformPartitionedNV",
        "b.x[0] = subgroupPartitionedAddNV(b.x[1], subgroupPartitionNV(b.x[1]));",
        extensions=("GL_NV_shader_subgroup_partitioned",),
        environment="1.1",
    ),
    compute(
        "SubgroupBallotKHR",
        "b.x[0] = readFirstInvocationARB(b.x[1]);",
        extensions=("GL_ARB_shader_ballot", "GL_ARB_gpu_shader_int64"),
    ),
    compute(
        "SubgroupVoteKHR", "b.x[0] = anyInvocationARB(b.x[1] > 0.0) ? 1.0 : 0.0;", extensions=("GL_ARB_shader_group_vote",)
    ),
    compute("ImageBuffer", "b.x[0] = imageLoad(i, 0).x;", "layout(set=0,binding=1,r32f) uniform imageBuffer i;"),
    compute("SampledBuffer", "b.x[0] = texelFetch(i, 0).x;", "layout(set=0,binding=1) uniform samplerBuffer i;"),
    compute("Image1D", "b.x[0] = imageLoad(i, 0).x;", "layout(set=0,binding=1,r32f) uniform image1D i;"),
    compute("Sampled1D", "b.x[0] = textureLod(i, 0.0, 0.0).x;", "layout(set=0,binding=1) uniform sampler1D i;"),
    compute("ImageCubeArray", "b.x[0] = imageLoad(i, ivec3(0)).x;", "layout(set=0,binding=1,r32f) uniform imageCubeArray i;"),
    compute(
        "SampledCubeArray", "b.x[0] = textureLod(i, vec4(0), 0.0).x;", "layout(set=0,binding=1) uniform samplerCubeArray i;"
    ),
    compute("ImageQuery", "b.x[0] = textureSize(i, 0).x;", "layout(set=0,binding=1) uniform sampler2D i;"),
    compute(
        "StorageImageMultisample",
        "b.x[0] = imageLoad(i, ivec2(0), 1).x;",
        "layout(set=0,binding=1,r32f) uniform image2DMS i;",
    ),
    compute(
        "ImageMSArray",
        "b.x[0] = imageLoad(i, ivec3(0), 1).x;",
        "layout(set=0,binding=1,r32f) uniform image2DMSArray i;",
    ),
    compute(
        "StorageImageReadWithoutFormat",
        "b.x[0] = imageLoad(i, ivec2(0)).x;",
        "layout(set=0,binding=1) uniform readonly image2D i;",
        extensions=("GL_EXT_shader_image_load_formatted",),
    ),
    compute(
        "StorageImageWriteWithoutFormat",
        "imageStore(i, ivec2(0), vec4(b.x[1]));",
        "layout(set=0,binding=1) uniform writeonly image2D i;",
    ),
    compute(
        "StorageImageExtendedFormats",
        "b.x[0] = imageLoad(i, ivec2(0)).x;",
        "layout(set=0,binding=1,rg32f) uniform image2D i;",
    ),
    compute(
        "ImageGatherExtended",
        "b.x[0] = textureGatherOffset(i, vec2(0), ivec2(b.x[1])).x;",
        "layout(set=0,binding=1) uniform sampler2D i;",
    ),
    compute(
        "SparseResidency",
        "vec4 v; b.x[0] = float(sparseTextureLodARB(i, vec2(0), 0.0, v)) + v.x;",
        "layout(set=0,binding=1) uniform sampler2D i;",
        extensions=("GL_ARB_sparse_texture2",),
    ),
    fragment(
        "MinLod",
        "o = textureClampARB(i, vec2(0), 1.0);",
        "layout(set=0,binding=1) uniform sampler2D i;",
        extensions=("GL_ARB_sparse_texture_clamp",),
    ),
    fragment("DerivativeControl", "o = vec4(dFdxFine(i));", "layout(location=0) in float i;"),
    fragment("InterpolationFunction", "o = vec4(interpolateAtCentroid(i));", "layout(location=0) in float i;"),
    fragment("SampleRateShading", "o = vec4(gl_SampleID);"),
    fragment(
        "InputAttachment",
        "o = subpassLoad(i);",
        "layout(set=0,binding=1,input_attachment_index=0) uniform subpassInput i;",
    ),
    fragment("StencilExportEXT", "gl_FragStencilRefARB = 1; o = vec4(1);", extensions=("GL_ARB_shader_stencil_export",)),
    fragment(
        "DemoteToHelperInvocation",
        "demote; o = vec4(1);",
        extensions=("GL_EXT_demote_to_helper_invocation",),
        environment="1.3",
    ),
    fragment(
        "FragmentShadingRateKHR",
        "o = vec4(gl_ShadingRateEXT);",
        extensions=("GL_EXT_fragment_shading_rate",),
        environment="1.1",
    ),
    fragment(
        "FragmentShaderPixelInterlockEXT",
        INTERLOCK,
        "layout(pixel_interlock_ordered) in;",
        extensions=("GL_ARB_fragment_shader_interlock",),
    ),
    fragment(
        "FragmentShaderSampleInterlockEXT",
        INTERLOCK,
        "layout(sample_interlock_ordered) in;",
        extensions=("GL_ARB_fragment_shader_interlock",),
    ),
    fragment(
        "FragmentBarycentricKHR",
        "o = vec4(gl_BaryCoordEXT, 1);",
        extensions=("GL_EXT_fragment_shader_barycentric",),
        environment="1.2",
    ),
    fragment(
        "SampleMaskPostDepthCoverage",
        "o = vec4(gl_SampleMaskIn[0]);",
        "layout(post_depth_coverage) in;",
        extensions=("GL_ARB_post_depth_coverage",),
    ),
    fragment(
        "FragmentFullyCoveredEXT",
        "o = vec4(gl_FragFullyCoveredNV ? 1 : 0);",
        extensions=("GL_NV_conservative_raster_underestimation",),
    ),
    fragment(
        "FragmentDensityEXT",
        "o = vec4(gl_FragSizeEXT, 0, 0);",
        extensions=("GL_EXT_fragment_invocation_density",),
    ),
    compute("ClipDistance", "gl_Position = vec4(0); gl_ClipDistance[0] = 1.0;", stage="vert"),
    compute("CullDistance", "gl_Position = vec4(0); gl_CullDistance[0] = 1.0;", stage="vert"),
    compute("DrawParameters", "gl_Position = vec4(gl_BaseInstance);", stage="vert", environment="1.1"),
    compute(
        "MultiView", "gl_Position = vec4(gl_ViewIndex);", extensions=("GL_EXT_multiview",), stage="vert", environment="1.1"
    ),
    compute("DeviceGroup", "b.x[0] = float(gl_DeviceIndex);", extensions=("GL_EXT_device_group",), environment="1.1"),
    compute(
        "ShaderViewportIndexLayerEXT",
        "gl_Position = vec4(0); gl_Layer = 1;",
        extensions=("GL_ARB_shader_viewport_layer_array",),
        stage="vert",
    ),
    compute(
        "ShaderLayer",
        "gl_Position = vec4(0); gl_Layer = 1;",
        extensions=("GL_ARB_shader_viewport_layer_array",),
        stage="vert",
        environment="1.2",
    ),
    compute(
        "ShaderViewportIndex",
        "gl_Position = vec4(0); gl_ViewportIndex = 1;",
        extensions=("GL_ARB_shader_viewport_layer_array",),
        stage="vert",
        environment="1.2",
    ),
    compute("Geometry", "gl_Position = gl_in[0].gl_Position; EmitVertex(); EndPrimitive();", TRIANGLES, stage="geom"),
    compute("GeometryPointSize", "gl_PointSize = gl_in[0].gl_PointSize; EmitVertex();", TRIANGLES, stage="geom"),
    compute("MultiViewport", "gl_ViewportIndex = 1; EmitVertex();", TRIANGLES, stage="geom"),
    compute(
        "TransformFeedback",
        "gl_Position = vec4(0); t = vec4(1);",
        "layout(location=0, xfb_buffer=0, xfb_offset=0, xfb_stride=16) out vec4 t;",
        stage="vert",
    ),
    compute("Tessellation", "gl_TessLevelOuter[0] = 1.0;", PATCHES, stage="tesc"),
    compute("TessellationPointSize", "gl_out[gl_InvocationID].gl_PointSize = gl_in[0].gl_PointSize;", PATCHES, stage="tesc"),
    indexed("RuntimeDescriptorArray", "layout(set=0,binding=1) buffer A { float v; } a[];", "a[INDEX].v", nonuniform=False),
    indexed("ShaderNonUniform", "layout(set=0,binding=1) buffer A { float v; } a[4];", "a[INDEX].v", nonuniform=True),
    indexed(
        "StorageBufferArrayNonUniformIndexing",
        "layout(set=0,binding=1) buffer A { float v; } a[4];",
        "a[INDEX].v",
        nonuniform=True,
    ),
    indexed(
        "UniformBufferArrayNonUniformIndexing",
        "layout(set=0,binding=1) uniform A { float v; } a[4];",
        "a[INDEX].v",
        nonuniform=True,
    ),
    indexed(
        "SampledImageArrayNonUniformIndexing",
        "layout(set=0,binding=1) uniform sampler2D a[4];",
        "textureLod(a[INDEX], vec2(0), 0.0).x",
        nonuniform=True,
    ),
    indexed(
        "StorageImageArrayNonUniformIndexing",
        "layout(set=0,binding=1,r32f) uniform image2D a[4];",
        "imageLoad(a[INDEX], ivec2(0)).x",
        nonuniform=True,
    ),
    indexed(
        "UniformTexelBufferArrayNonUniformIndexing",
        "layout(set=0,binding=1) uniform samplerBuffer a[4];",
        "texelFetch(a[INDEX], 0).x",
        nonuniform=True,
    ),
    indexed(
        "StorageTexelBufferArrayNonUniformIndexing",
        "layout(set=0,binding=1,r32f) uniform imageBuffer a[4];",
        "imageLoad(a[INDEX], 0).x",
        nonuniform=True,
    ),
    indexed(
        "UniformTexelBufferArrayDynamicIndexing",
        "layout(set=0,binding=1) uniform samplerBuffer a[4];",
        "texelFetch(a[INDEX], 0).x",
        nonuniform=False,
    ),
    indexed(
        "StorageTexelBufferArrayDynamicIndexing",
        "layout(set=0,binding=1,r32f) uniform imageBuffer a[4];",
        "imageLoad(a[INDEX], 0).x",
        nonuniform=False,
    ),
    fragment(
        "InputAttachmentArrayDynamicIndexing",
        "o = subpassLoad(i[int(v)]);",
        "layout(set=0,binding=1,input_attachment_index=0) uniform subpassInput i[4]; layout(location=0) in float v;",
        extensions=(NONUNIFORM,),
        environment="1.0",
    ),
    fragment(
        "InputAttachmentArrayNonUniformIndexing",
        "o = subpassLoad(i[nonuniformEXT(int(v))]);",
        "layout(set=0,binding=1,input_attachment_index=0) uniform subpassInput i[4]; layout(location=0) in float v;",
        extensions=(NONUNIFORM,),
        environment="1.2",
    ),
    compute(
        "PhysicalStorageBufferAddresses",
        "p.r.f = 1.0;",
        "layout(buffer_reference) buffer R { float f; }; layout(push_constant) uniform P { R r; } p;",
        extensions=("GL_EXT_buffer_reference",),
        environment="1.2",
    ),
    compute("VulkanMemoryModel", "b.x[0] += 1.0;", "#pragma use_vulkan_memory_model", environment="1.2"),
    compute(
        "VulkanMemoryModelDeviceScope",
        "atomicAdd(u.u, 1u, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsAcquireRelease);",
        "#pragma use_vulkan_memory_model\nlayout(set=0,binding=1) buffer U { uint u; } u;",
        extensions=("GL_KHR_memory_scope_semantics",),
        environment="1.2",
    ),
    atomic("AtomicFloat32AddEXT", "float", "atomicAdd", FLOAT_ATOMICS),
    atomic("AtomicFloat64AddEXT", "double", "atomicAdd", FLOAT_ATOMICS),
    atomic("AtomicFloat16AddEXT", "float16_t", "atomicAdd", FLOAT_ATOMICS2),
    atomic("AtomicFloat32MinMaxEXT", "float", "atomicMax", FLOAT_ATOMICS2),
    atomic("AtomicFloat64MinMaxEXT", "double", "atomicMax", FLOAT_ATOMICS2),
    atomic("AtomicFloat16MinMaxEXT", "float16_t", "atomicMin", FLOAT_ATOMICS2),
    compute(
        "Int64ImageEXT",
        "b.x[0] = float(imageLoad(i, ivec2(0)).x);",
        "layout(set=0,binding=1,r64ui) uniform u64image2D i;",
        extensions=(INT64, "GL_EXT_shader_image_int64"),
    ),
    compute("ShaderClockKHR", "b.x[0] = float(clock2x32ARB().x);", extensions=("GL_ARB_shader_clock",)),
    compute("RayQueryKHR", TRACE, *QUERY, extensions=("GL_EXT_ray_query",), environment="1.2"),
    compute(
        "RayTracingKHR",
        "traceRayEXT(s, 0u, 255u, 0u, 0u, 0u, vec3(0), 0.0, vec3(1), 1.0, 0);",
        "layout(set=0,binding=1) uniform accelerationStructureEXT s; layout(location=0) rayPayloadEXT float p;",
        extensions=("GL_EXT_ray_tracing",),
        environment="1.2",
        stage="rgen",
    ),
    compute(
        "MeshShadingEXT",
        "SetMeshOutputsEXT(3, 1);",
        "layout(local_size_x=1) in; layout(triangles, max_vertices=3, max_primitives=1) out;",
        extensions=("GL_EXT_mesh_shader",),
        environment="1.3",
        stage="mesh",
    ),
    compute(
        "MeshShadingNV",
        "gl_PrimitiveCountNV = 1;",
        "layout(local_size_x=1) in; layout(triangles, max_vertices=3, max_primitives=1) out;",
        extensions=("GL_NV_mesh_shader",),
        environment="1.1",
        stage="mesh",
    ),
    compute("ShaderSMBuiltinsNV", "b.x[0] = float(gl_SMIDNV);", extensions=("GL_NV_shader_sm_builtins",), environment="1.1"),
    fragment(
        "ImageFootprintNV",
        "gl_TextureFootprint2DNV f; o = vec4(textureFootprintNV(i, vec2(0), 1, true, f));",
        "layout(set=0,binding=1) uniform sampler2D i;",
        extensions=("GL_NV_shader_texture_footprint",),
    ),
    compute(
        "ComputeDerivativeGroupLinearNV",
        "b.x[0] = dFdx(b.x[1]);",
        "layout(derivative_group_linearNV, local_size_x=4) in;",
        extensions=("GL_NV_compute_shader_derivatives",),
        environment="1.1",
    ),
    compute(
        "ComputeDerivativeGroupQuadsNV",
        "b.x[0] = dFdx(b.x[1]);",
        "layout(derivative_group_quadsNV, local_size_x=2, local_size_y=2) in;",
        extensions=("GL_NV_compute_shader_derivatives",),
        environment="1.1",
    ),
    compute(
        "CooperativeMatrixNV",
        COOPERATIVE,
        extensions=("GL_KHR_memory_scope_semantics", "GL_NV_cooperative_matrix", FLOAT16),
        environment="1.1",
    ),
    compute(
        "IntegerFunctions2INTEL",
        "b.x[0] = float(countLeadingZeros(uint(b.x[1])));",
        extensions=("GL_INTEL_shader_integer_functions2",),
    ),
    compute(
        "WorkgroupMemoryExplicitLayoutKHR",
        "s.s = b.x[1]; b.x[0] = s.s;",
        SHARED_BLOCK.format(type="float"),
        extensions=("GL_EXT_shared_memory_block",),
        environment="1.2",
    ),
    compute(
        "WorkgroupMemoryExplicitLayout8BitAccessKHR",
        "s.s = int8_t(b.x[1]); b.x[0] = float(s.s);",
        SHARED_BLOCK.format(type="int8_t"),
        extensions=("GL_EXT_shared_memory_block", INT8),
        environment="1.2",
    ),
    compute(
        "WorkgroupMemoryExplicitLayout16BitAccessKHR",
        "s.s = float16_t(b.x[1]); b.x[0] = float(s.s);",
        SHARED_BLOCK.format(type="float16_t"),
        extensions=("GL_EXT_shared_memory_block", FLOAT16),
        environment="1.2",
    ),
)

# glslang 12 does not declare the capability of these two instructions.
UNDECLARED = compute(
    "GeometryStreams",
    "EmitStreamVertex(1); EndStreamPrimitive(1);",
    "layout(points) in; layout(points, max_vertices=3) out; layout(stream=1) out;",
    stage="geom",
)
