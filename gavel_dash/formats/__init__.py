"""Bytes and text to objects and back. Takes buffers and file-likes, never paths."""
