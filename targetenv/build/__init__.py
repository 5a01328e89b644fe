"""Sources to executables: what each toolchain is told, the commands, and running them. Knows no package and no device."""
