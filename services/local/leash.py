"""Become another program that dies with the process that started us. Run by path, never imported.

    python -I -S leash.py PARENT_PID SIGNAL USER_ID GROUP_ID PROGRAM [ARGUMENT ...]

A program of its own rather than a `preexec_fn`: the parent has threads (gRPC, Temporal), and
between fork and exec Python code in such a process may deadlock. USER_ID -1 keeps the user.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1

parent, signal, user, group = (int(argument) for argument in sys.argv[1:5])
program = sys.argv[5:]

if user >= 0:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)

# After setuid: the kernel drops the death signal when credentials change.
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died before its child was on the leash")

os.execv(program[0], program)  # noqa: S606 - to become another program is the point
