"""Where everything meets: a package, the devices of this machine, the choice between variants, and the runtime that runs it."""
