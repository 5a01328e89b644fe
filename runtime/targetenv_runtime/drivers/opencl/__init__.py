"""OpenCL devices of every platform, through the ICD loader."""
