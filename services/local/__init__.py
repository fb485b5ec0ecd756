"""The embedded stack: PostgreSQL, Temporal and a mailbox as our own children.

Everything here is for one machine: `siklus dev`, `siklus demo` and the tests. Nothing is
downloaded at run time, and nothing stays behind when the process that started it dies.
"""
