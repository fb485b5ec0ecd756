"""The rule book: pure Python, no clock, no I/O."""
