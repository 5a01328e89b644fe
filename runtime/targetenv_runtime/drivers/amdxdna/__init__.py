"""AMD NPUs behind the amdxdna kernel driver."""
