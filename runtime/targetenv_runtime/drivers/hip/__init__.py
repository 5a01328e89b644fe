"""AMD GPUs through the HIP runtime library and the kernel fusion driver."""
