"""Simulator logs of both dialects -> `.viz.bin`, completions and telemetry files."""
