"""Intel Gaudi behind the habanalabs kernel driver."""
