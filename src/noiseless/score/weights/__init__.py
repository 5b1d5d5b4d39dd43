"""The checkpoints that ship with the package. They are data: see ``noiseless models`` for their cards."""
