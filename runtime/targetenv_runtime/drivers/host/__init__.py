"""The host driver runs Python callables as kernels: for tests of the core, and as the reference of what each command means."""
