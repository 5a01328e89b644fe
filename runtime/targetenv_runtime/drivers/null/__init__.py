"""The null driver accepts all work and executes none: for the cost of everything but the device, and for tests of the core."""
