"""Checkpoints that are stored as differences from earlier states: `compression="incremental"`."""
