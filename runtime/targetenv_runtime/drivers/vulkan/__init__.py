"""Vulkan through ctypes, with layouts from the registry: a probe that reads everything, a backend that dispatches compute."""
