"""Where an agent is put: in this process, or in one of its own on this machine."""
